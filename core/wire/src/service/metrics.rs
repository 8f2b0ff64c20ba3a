//! What `/metrics` shows: families of samples, written by `prometheus-client` in the form of
//! OpenMetrics.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;
use trunkline_engine::ResourceName;

/// The content type of [`Exposition::text`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Names and values that tell the samples of a family apart.
pub type Labels = Vec<(&'static str, String)>;

/// Samples of one name.
#[derive(Debug)]
pub struct Family {
    name: &'static str,
    help: &'static str,
    kind: MetricType,
    samples: Vec<(Labels, Sample)>,
}

#[derive(Debug)]
enum Sample {
    Count(u64),
    Number(f64),
    Histogram { sum: f64, count: u64, buckets: Vec<(f64, u64)> },
}

impl Family {
    /// A number that only grows; its name ends in `_total` in the text, and not here.
    pub fn counter(name: &'static str, help: &'static str) -> Self {
        Self { name, help, kind: MetricType::Counter, samples: Vec::new() }
    }

    /// A number that goes up and down.
    pub fn gauge(name: &'static str, help: &'static str) -> Self {
        Self { kind: MetricType::Gauge, ..Self::counter(name, help) }
    }

    /// How many observations were at most so large.
    pub fn histogram(name: &'static str, help: &'static str) -> Self {
        Self { kind: MetricType::Histogram, ..Self::counter(name, help) }
    }

    /// Adds a number.
    pub fn add(&mut self, labels: Labels, value: impl Into<f64>) {
        self.samples.push((labels, Sample::Number(value.into())));
    }

    /// Adds a count.
    pub fn count(&mut self, labels: Labels, value: u64) {
        self.samples.push((labels, Sample::Count(value)));
    }

    /// Adds the counts of a resource by state; `kind` is the label of its name.
    pub fn states(&mut self, kind: &'static str, name: &ResourceName, states: &[(&str, u64)]) {
        for (state, count) in states {
            let mut labels = labels_of(kind, name);
            labels.push(("state", (*state).to_owned()));
            self.count(labels, *count);
        }
    }

    /// Adds a distribution: the counts of `buckets` are of each bucket alone.
    pub fn distribution(&mut self, labels: Labels, sum: f64, buckets: Vec<(f64, u64)>) {
        let count = buckets.iter().map(|(_, count)| count).sum();
        // The library writes `+Inf` for the largest number alone.
        let buckets = buckets.into_iter().map(|(bound, count)| (bound.min(f64::MAX), count));
        let buckets = buckets.collect();
        self.samples.push((labels, Sample::Histogram { sum, count, buckets }));
    }
}

/// The labels that name a resource.
pub fn labels_of(kind: &'static str, name: &ResourceName) -> Labels {
    vec![
        ("account", name.account.to_string()),
        ("region", name.region.to_string()),
        (kind, name.name.to_string()),
    ]
}

/// Everything that is shown.
#[derive(Debug, Default)]
pub struct Exposition {
    families: Vec<Family>,
}

impl Exposition {
    /// Shows a family; one without samples is left out.
    pub fn push(&mut self, family: Family) {
        if !family.samples.is_empty() {
            self.families.push(family);
        }
    }

    /// The text that Prometheus reads.
    pub fn text(self) -> String {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(self));
        let mut out = String::new();
        // Writing to a string cannot fail.
        let _ = text::encode(&mut out, &registry);
        out
    }
}

impl Collector for Exposition {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        for family in &self.families {
            let (name, help) = (family.name, family.help);
            let mut metric = encoder.encode_descriptor(name, help, None, family.kind)?;
            for (labels, sample) in &family.samples {
                if labels.is_empty() {
                    write(&mut metric, family.kind, sample)?;
                } else {
                    let labels: Labels =
                        labels.iter().map(|(name, value)| (*name, escaped(value))).collect();
                    write(&mut metric.encode_family(&labels)?, family.kind, sample)?;
                }
            }
        }
        Ok(())
    }
}

/// A label's value as the text has it; the library writes values as they are.
fn escaped(value: &str) -> String {
    value.replace('\\', r"\\").replace('"', r#"\""#).replace('\n', r"\n")
}

fn write(metric: &mut MetricEncoder<'_>, kind: MetricType, sample: &Sample) -> fmt::Result {
    match (sample, kind) {
        (Sample::Count(value), MetricType::Counter) => {
            metric.encode_counter::<NoLabelSet, _, u64>(value, None)
        }
        (Sample::Count(value), _) => metric.encode_gauge(value),
        (Sample::Number(value), MetricType::Counter) => {
            metric.encode_counter::<NoLabelSet, _, f64>(value, None)
        }
        (Sample::Number(value), _) => metric.encode_gauge(value),
        (Sample::Histogram { sum, count, buckets }, _) => {
            metric.encode_histogram::<NoLabelSet>(*sum, *count, buckets, None)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_have_help_and_type_and_names_are_escaped() {
        let mut exposition = Exposition::default();
        let mut counter = Family::counter("calls", "Calls that were made");
        counter.count(vec![("name", "a\"b\\c\nd".to_owned())], 3);
        exposition.push(counter);
        exposition.push(Family::gauge("empty", "Nothing"));
        let mut durations = Family::histogram("seconds", "How long");
        durations.distribution(Vec::new(), 1.5, vec![(1.0, 1), (f64::INFINITY, 1)]);
        exposition.push(durations);
        let text = exposition.text();
        for line in [
            "# HELP calls Calls that were made",
            "# TYPE calls counter",
            r#"calls_total{name="a\"b\\c\nd"} 3"#,
            "# TYPE seconds histogram",
            r#"seconds_bucket{le="1.0"} 1"#,
            r#"seconds_bucket{le="+Inf"} 2"#,
            "seconds_count 2",
            "# EOF",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
        assert!(!text.contains("empty"));
    }
}

//! What `/metrics` shows: families of samples, written by `prometheus-client` in the form of
//! OpenMetrics.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;
use trunkline_engine::ResourceName;
use trunkline_types::ResourceKind;

/// The content type of [`Exposition::text`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// How many resources of a kind have series of their own; beyond that the busiest have.
pub const RESOURCES_MAX: usize = 1_000;

/// The name of all resources of a kind that have no series of their own; no resource has it.
const OTHERS: &str = "*";

const ACCOUNT: &str = "account";
const STATE: &str = "state";

/// How many labels name a resource, in front of the others.
const NAMING: usize = 3;

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

#[derive(Debug, Clone)]
enum Sample {
    Count(u64),
    Number(f64),
    Histogram { sum: f64, count: u64, buckets: Vec<(f64, u64)> },
}

impl Sample {
    fn size(&self) -> f64 {
        match self {
            Self::Count(count) | Self::Histogram { count, .. } => *count as f64,
            Self::Number(number) => *number,
        }
    }

    /// Takes the sample of another resource in.
    fn fold(&mut self, other: &Self) {
        match (self, other) {
            (Self::Count(count), Self::Count(more)) => *count = count.saturating_add(*more),
            (Self::Number(number), Self::Number(other)) => *number = number.max(*other),
            // Resources have no distributions.
            _ => {}
        }
    }
}

/// The labels that name a resource, of a sample of one.
fn resource_of(labels: &Labels) -> Option<&[(&'static str, String)]> {
    labels.get(..NAMING).filter(|named| named[0].0 == ACCOUNT && named[0].1 != OTHERS)
}

/// The labels of all resources that have no series of their own.
fn unnamed(labels: &Labels) -> Labels {
    let named = |(name, value): &(&'static str, String)| {
        (*name, if *name == STATE { value.clone() } else { OTHERS.to_owned() })
    };
    labels.iter().map(named).collect()
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
            labels.push((STATE, (*state).to_owned()));
            self.count(labels, *count);
        }
    }

    /// The same with series for `most` resources, those with the largest values, and for each state
    /// one for the others: their sum, or of times the longest. Of a counter all resources are in
    /// it, because one that comes and goes would look as if it had begun anew.
    fn bounded(self, most: usize) -> Self {
        let mut sizes: HashMap<&[(&'static str, String)], f64> = HashMap::new();
        for (labels, sample) in &self.samples {
            if let Some(resource) = resource_of(labels) {
                *sizes.entry(resource).or_default() += sample.size();
            }
        }
        if sizes.len() <= most {
            return self;
        }
        let mut ordered: Vec<_> = sizes.into_iter().collect();
        ordered.sort_unstable_by(|(a, size), (b, other)| other.total_cmp(size).then(a.cmp(b)));
        let kept = if matches!(self.kind, MetricType::Counter) { 0 } else { most };
        let kept: HashSet<&[_]> = ordered.iter().take(kept).map(|(name, _)| *name).collect();
        let mut samples = Vec::new();
        let mut others: BTreeMap<Labels, Sample> = BTreeMap::new();
        for (labels, sample) in &self.samples {
            match resource_of(labels) {
                Some(resource) if !kept.contains(resource) => {
                    let entry = others.entry(unnamed(labels));
                    entry.and_modify(|all| all.fold(sample)).or_insert_with(|| sample.clone());
                }
                _ => samples.push((labels.clone(), sample.clone())),
            }
        }
        samples.extend(others);
        Self { samples, ..Self::counter(self.name, self.help).of(self.kind) }
    }

    fn of(self, kind: MetricType) -> Self {
        Self { kind, ..self }
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

/// The name of all resources of a kind that have no series of their own.
pub fn others(kind: ResourceKind) -> ResourceName {
    ResourceName::new(kind, OTHERS, OTHERS, OTHERS)
}

/// The labels that name a resource.
pub fn labels_of(kind: &'static str, name: &ResourceName) -> Labels {
    vec![
        (ACCOUNT, name.account.to_string()),
        ("region", name.region.to_string()),
        (kind, name.name.to_string()),
    ]
}

/// Everything that is shown.
#[derive(Debug)]
pub struct Exposition {
    families: Vec<Family>,
    resources_max: usize,
}

impl Exposition {
    /// Nothing yet; so many resources of a kind will have series of their own.
    pub fn new(resources_max: usize) -> Self {
        Self { families: Vec::new(), resources_max }
    }

    /// Which resources of these sizes have series of their own, for a kind of which there are so
    /// many that labels for all would take long. The others are named by [`others`].
    pub fn shows(&self, sizes: &[u64]) -> Vec<bool> {
        if sizes.len() <= self.resources_max {
            return vec![true; sizes.len()];
        }
        let mut places: Vec<usize> = (0..sizes.len()).collect();
        let by_size = |place: &usize| (Reverse(sizes[*place]), *place);
        places.select_nth_unstable_by_key(self.resources_max, by_size);
        let mut shown = vec![false; sizes.len()];
        places[..self.resources_max].iter().for_each(|place| shown[*place] = true);
        shown
    }

    /// Shows a family; one without samples is left out.
    pub fn push(&mut self, family: Family) {
        if !family.samples.is_empty() {
            self.families.push(family.bounded(self.resources_max));
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
        let mut exposition = Exposition::new(RESOURCES_MAX);
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

    #[test]
    fn beyond_a_bound_the_busiest_have_series_and_the_others_one() {
        let name = |name: &str| ResourceName::local(ResourceKind("queue"), name);
        let mut exposition = Exposition::new(1);
        let mut messages = Family::gauge("messages", "Messages");
        let mut seen = Family::counter("seen", "Seen");
        let mut age = Family::gauge("age", "Seconds");
        for (queue, count) in [("a", 1), ("b", 5), ("c", 2)] {
            messages.states("queue", &name(queue), &[("visible", count), ("delayed", 0)]);
            seen.states("queue", &name(queue), &[("put", count)]);
            age.add(labels_of("queue", &name(queue)), count as f64);
        }
        [messages, seen, age].into_iter().for_each(|family| exposition.push(family));
        let others = r#"account="*",region="*",queue="*""#;
        let b = r#"account="000000000000",region="us-east-1",queue="b""#;
        let text = exposition.text();
        let found: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        let wanted = [
            format!(r#"messages{{{b},state="visible"}} 5"#),
            format!(r#"messages{{{b},state="delayed"}} 0"#),
            format!(r#"messages{{{others},state="delayed"}} 0"#),
            format!(r#"messages{{{others},state="visible"}} 3"#),
            format!(r#"seen_total{{{others},state="put"}} 8"#),
            format!("age{{{b}}} 5.0"),
            format!("age{{{others}}} 2.0"),
        ];
        assert_eq!(found, wanted);
    }

    #[test]
    fn the_largest_are_shown() {
        assert_eq!(Exposition::new(3).shows(&[1, 0]), [true, true]);
        assert_eq!(Exposition::new(2).shows(&[1, 0, 7, 1]), [true, false, true, false]);
        assert_eq!(Exposition::new(0).shows(&[1]), [false]);
    }
}

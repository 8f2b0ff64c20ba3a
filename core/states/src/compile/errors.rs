//! Retriers and catchers.

use std::sync::Arc;

use super::fields::Fields;
use super::{Compiler, Surroundings};
use crate::program::{Assign, Catcher, Language, Retrier};
use crate::value::Value;

impl Compiler<'_> {
    /// The names of errors of a retrier or a catcher.
    fn errors(&mut self, fields: &Fields<'_>, last: bool) -> Option<Vec<Arc<str>>> {
        if !self.required(fields, "ErrorEquals") {
            return None;
        }
        let items = self.array(fields, "ErrorEquals")?;
        if items.is_empty() {
            self.finding(fields.at("ErrorEquals"), "Value cannot be empty");
        }
        let mut names = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            match item {
                Value::String(name) => names.push(Arc::clone(name)),
                _ => {
                    let at = format!("{}[{index}]", fields.at("ErrorEquals"));
                    self.finding(at, "Expected value of type [STRING]");
                }
            }
        }
        let all = names.iter().position(|name| &**name == "States.ALL");
        if let Some(index) = all
            && (names.len() > 1 || !last)
        {
            let at = format!("{}[{index}]", fields.at("ErrorEquals"));
            self.finding(at, "States.ALL must appear alone and at end of list");
        }
        Some(names)
    }

    pub(super) fn retry(&mut self, fields: &Fields<'_>) -> Vec<Retrier> {
        let Some(items) = self.array(fields, "Retry") else { return Vec::new() };
        let mut retriers = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let at = format!("{}[{index}]", fields.at("Retry"));
            let Value::Object(members) = item else {
                self.finding(at, "Expected value of type [OBJECT]");
                continue;
            };
            let fields = Fields::new(members, at);
            retriers.extend(self.retrier(&fields, index + 1 == items.len()));
        }
        retriers
    }

    fn retrier(&mut self, fields: &Fields<'_>, last: bool) -> Option<Retrier> {
        const KNOWN: [&str; 7] = [
            "ErrorEquals",
            "IntervalSeconds",
            "MaxAttempts",
            "BackoffRate",
            "MaxDelaySeconds",
            "JitterStrategy",
            "Comment",
        ];
        self.only(fields, &KNOWN);
        let errors = self.errors(fields, last);
        let interval = self.integer(fields, "IntervalSeconds", 1, 99_999_999);
        let attempts = self.integer(fields, "MaxAttempts", 0, 99_999_999);
        let rate = self.number(fields, "BackoffRate", 1.0, f64::INFINITY);
        let most = self.integer(fields, "MaxDelaySeconds", 1, 31_622_400);
        if let (Some(most), interval) = (most, interval.unwrap_or(1))
            && most <= interval
        {
            let message = "MaxDelaySeconds must be greater than IntervalSeconds";
            self.finding(fields.here(), message);
        }
        let jitter = self.string(fields, "JitterStrategy");
        if let Some(jitter) = &jitter
            && !matches!(&**jitter, "FULL" | "NONE")
        {
            let message = "Value should be one of the following: [FULL, NONE]";
            self.finding(fields.at("JitterStrategy"), message);
        }
        Some(Retrier {
            errors: errors?,
            interval_seconds: interval.unwrap_or(1) as f64,
            max_attempts: u32::try_from(attempts.unwrap_or(3)).unwrap_or(3),
            backoff_rate: rate.unwrap_or(2.0),
            max_delay_seconds: most.map(|seconds| seconds as f64),
            full_jitter: jitter.is_some_and(|jitter| &*jitter == "FULL"),
        })
    }

    pub(super) fn catch(
        &mut self,
        fields: &Fields<'_>,
        language: Language,
        surroundings: Surroundings<'_>,
    ) -> Vec<Catcher> {
        let Some(items) = self.array(fields, "Catch") else { return Vec::new() };
        let mut catchers = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let at = format!("{}[{index}]", fields.at("Catch"));
            let Value::Object(members) = item else {
                self.finding(at, "Expected value of type [OBJECT]");
                continue;
            };
            let fields = Fields::new(members, at);
            let last = index + 1 == items.len();
            catchers.extend(self.catcher(&fields, last, language, surroundings));
        }
        catchers
    }

    fn catcher(
        &mut self,
        fields: &Fields<'_>,
        last: bool,
        language: Language,
        surroundings: Surroundings<'_>,
    ) -> Option<Catcher> {
        let known: &[&str] = match language {
            Language::JsonPath => &["ErrorEquals", "Next", "ResultPath", "Assign", "Comment"],
            Language::Jsonata => &["ErrorEquals", "Next", "Output", "Assign", "Comment"],
        };
        self.only(fields, known);
        let errors = self.errors(fields, last);
        self.required(fields, "Next");
        let next = self.target(fields, "Next", surroundings);
        let assign: Assign = self.assign(fields, language);
        let output = match language {
            Language::JsonPath => None,
            Language::Jsonata => self.template(fields, "Output", language),
        };
        let result_path = self.result_place(fields);
        Some(Catcher { errors: errors?, next: next?, result_path, output, assign })
    }
}

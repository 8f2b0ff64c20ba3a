//! What all states have in common, and the small states.

use std::sync::Arc;

use super::fields::Fields;
use super::{Compiler, Surroundings, references};
use crate::jsonata;
use crate::moment;
use crate::program::{Dynamic, Flow, Kind, Language, Place, ResultPlace, State, Wait};
use crate::selector::Selector;
use crate::value::Value;

/// Fields of every state.
const COMMON: [&str; 3] = ["Type", "Comment", "QueryLanguage"];
/// Fields that only JSONPath states have.
const JSONPATH_ONLY: [&str; 18] = [
    "InputPath",
    "OutputPath",
    "ResultPath",
    "ResultSelector",
    "Parameters",
    "Result",
    "ItemsPath",
    "SecondsPath",
    "TimestampPath",
    "TimeoutSecondsPath",
    "HeartbeatSecondsPath",
    "MaxConcurrencyPath",
    "ToleratedFailureCountPath",
    "ToleratedFailurePercentagePath",
    "ErrorPath",
    "CausePath",
    "MaxItemsPath",
    "Variable",
];
/// Fields that only JSONata states have.
const JSONATA_ONLY: [&str; 4] = ["Arguments", "Output", "Items", "Condition"];

impl Compiler<'_> {
    pub(super) fn state(
        &mut self,
        fields: &Fields<'_>,
        name: &Arc<str>,
        surroundings: Surroundings<'_>,
    ) -> Option<State> {
        let before = self.findings.len();
        let declared = Self::language(fields);
        let downgrade =
            declared == Some(Language::JsonPath) && surroundings.machine == Language::Jsonata;
        if downgrade {
            let message =
                "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine";
            self.finding(fields.here(), message);
        }
        let language = declared.unwrap_or(surroundings.machine);
        if !self.required(fields, "Type") {
            return None;
        }
        let kind_name = self.string(fields, "Type")?;
        let Some(known) = known_fields(&kind_name) else {
            let message = "The field 'Type' should have one of these values: [Task, Wait, Pass, \
                           Succeed, Fail, Choice, Parallel, Map]";
            self.finding(fields.at("Type"), message);
            return None;
        };
        self.known(fields, known, (!downgrade).then_some(language));
        self.check_language(fields);
        self.string(fields, "Comment");
        let kind = self.kind(fields, &kind_name, language, surroundings);
        let retry = self.retry(fields);
        let catch = self.catch(fields, language, surroundings);
        let (next, end) = self.next(fields, &kind_name, surroundings);
        let flow = self.flow(fields, language);
        let kind = kind?;
        let fine = self.findings[before..]
            .iter()
            .all(|finding| finding.code != crate::finding::Code::SchemaValidationFailed);
        fine.then(|| State {
            name: Arc::clone(name),
            location: Arc::from(fields.here()),
            references: references::variables(fields.members(), language),
            language,
            flow,
            end,
            next,
            retry,
            catch,
            kind,
        })
    }

    /// Finds fields that do not belong to this type of state, or to its language.
    fn known(&mut self, fields: &Fields<'_>, known: &[&str], language: Option<Language>) {
        for name in fields.names() {
            let name = &**name;
            if !COMMON.contains(&name) && !known.contains(&name) {
                self.finding(fields.here(), format!("Field '{name}' is not supported"));
                continue;
            }
            let (other, foreign) = match language {
                Some(Language::JsonPath) => ("JSONata", JSONATA_ONLY.contains(&name)),
                Some(Language::Jsonata) => ("JSONPath", JSONPATH_ONLY.contains(&name)),
                // The language itself was found to be wrong.
                None => continue,
            };
            if foreign {
                let ours = if other == "JSONPath" { "JSONata" } else { "JSONPath" };
                let message = format!(
                    "The QueryLanguage is set to '{ours}', but field '{name}' is only supported \
                     for the '{other}' QueryLanguage"
                );
                self.finding(fields.here(), message);
            }
        }
    }

    fn kind(
        &mut self,
        fields: &Fields<'_>,
        name: &str,
        language: Language,
        surroundings: Surroundings<'_>,
    ) -> Option<Kind> {
        match name {
            "Pass" => Some(Kind::Pass { result: fields.get("Result").cloned() }),
            "Succeed" => Some(Kind::Succeed),
            "Fail" => self.fail(fields, language),
            "Wait" => self.wait(fields, language).map(Kind::Wait),
            "Choice" => self.choice(fields, language, surroundings),
            "Task" => self.task(fields, language).map(|task| Kind::Task(Box::new(task))),
            "Parallel" => self.parallel(fields, surroundings),
            _ => self.map(fields, language, surroundings).map(|map| Kind::Map(Box::new(map))),
        }
    }

    /// `Next` or `End`: the state that follows, and whether there is none.
    fn next(
        &mut self,
        fields: &Fields<'_>,
        kind: &str,
        surroundings: Surroundings<'_>,
    ) -> (Option<crate::program::StateId>, bool) {
        if matches!(kind, "Choice" | "Succeed" | "Fail") {
            return (None, kind != "Choice");
        }
        let next = self.target(fields, "Next", surroundings);
        let end = self.boolean(fields, "End").unwrap_or(false);
        match (fields.has("Next"), end) {
            (true, true) => {
                self.finding(
                    fields.here(),
                    "There should only be one of the following fields: \
                    [Next, End]",
                );
            }
            (false, false) => {
                self.finding(fields.here(), "One of these fields is required: [Next, End]");
            }
            _ => {}
        }
        (next, end)
    }

    fn flow(&mut self, fields: &Fields<'_>, language: Language) -> Flow {
        let assign = self.assign(fields, language);
        match language {
            Language::JsonPath => {
                // A Map state had `Parameters` for what is `ItemSelector` now.
                let is_map = fields.get("Type").and_then(Value::as_str) == Some("Map");
                let parameters =
                    if is_map { None } else { self.template(fields, "Parameters", language) };
                Flow {
                    input_path: self.place(fields, "InputPath"),
                    parameters,
                    result_selector: self.template(fields, "ResultSelector", language),
                    result_path: self.result_place(fields),
                    output_path: self.place(fields, "OutputPath"),
                    output: None,
                    assign,
                }
            }
            Language::Jsonata => Flow {
                input_path: Place::Whole,
                parameters: self.template(fields, "Arguments", language),
                result_selector: None,
                result_path: ResultPlace::Whole,
                output_path: Place::Whole,
                output: self.template(fields, "Output", language),
                assign,
            },
        }
    }

    fn fail(&mut self, fields: &Fields<'_>, language: Language) -> Option<Kind> {
        let mut both = [None, None];
        for (slot, name) in both.iter_mut().zip(["Error", "Cause"]) {
            let path = format!("{name}Path");
            self.one_of(fields, &[name, &path]);
            *slot = if Self::is_query(fields, name, language) {
                self.query_field(fields, name, language)
            } else if language == Language::JsonPath && fields.has(&path) {
                let text = self.string(fields, &path)?;
                match Selector::parse(&text) {
                    Some(selector) => Some(Dynamic::Path(selector)),
                    None => {
                        let message = format!(
                            "The value for the field '{path}' must be a valid JSONPath or a \
                             valid intrinsic function call"
                        );
                        self.finding(fields.here(), message);
                        None
                    }
                }
            } else {
                self.string(fields, name).map(|text| Dynamic::Given(Value::String(text)))
            };
        }
        let [error, cause] = both;
        Some(Kind::Fail { error, cause })
    }

    fn wait(&mut self, fields: &Fields<'_>, language: Language) -> Option<Wait> {
        const FIELDS: [&str; 4] = ["Seconds", "SecondsPath", "Timestamp", "TimestampPath"];
        self.one_of(fields, &FIELDS);
        if !FIELDS.iter().any(|name| fields.has(name)) {
            let message = format!("One of these fields is required: [{}]", FIELDS.join(", "));
            self.finding(fields.here(), message);
            return None;
        }
        if fields.has("SecondsPath") {
            return self.path_field(fields, "SecondsPath").map(Wait::Seconds);
        }
        if fields.has("TimestampPath") {
            return self.path_field(fields, "TimestampPath").map(Wait::Timestamp);
        }
        if fields.has("Seconds") {
            if Self::is_query(fields, "Seconds", language) {
                return self.query_field(fields, "Seconds", language).map(Wait::Seconds);
            }
            let seconds = self.integer(fields, "Seconds", 0, 99_999_999)?;
            return Some(Wait::Seconds(Dynamic::Given(seconds.into())));
        }
        let text = self.string(fields, "Timestamp")?;
        if language == Language::Jsonata && jsonata::expression(&text).is_some() {
            return self.query_field(fields, "Timestamp", language).map(Wait::Timestamp);
        }
        if moment::parse(&text).is_none() {
            let message = "String does not match RFC3339 timestamp";
            self.finding(fields.at("Timestamp"), message);
            return None;
        }
        Some(Wait::Timestamp(Dynamic::Given(Value::String(text))))
    }
}

/// The fields of a type of state, beside those of all.
fn known_fields(kind: &str) -> Option<&'static [&'static str]> {
    Some(match kind {
        "Pass" => &[
            "InputPath",
            "OutputPath",
            "Parameters",
            "Result",
            "ResultPath",
            "Output",
            "Assign",
            "Next",
            "End",
        ],
        "Succeed" => &["InputPath", "OutputPath", "Output"],
        "Fail" => &["Error", "Cause", "ErrorPath", "CausePath"],
        "Wait" => &[
            "InputPath",
            "OutputPath",
            "Output",
            "Assign",
            "Seconds",
            "SecondsPath",
            "Timestamp",
            "TimestampPath",
            "Next",
            "End",
        ],
        "Choice" => &["InputPath", "OutputPath", "Output", "Assign", "Choices", "Default"],
        "Task" => &[
            "InputPath",
            "OutputPath",
            "Parameters",
            "Arguments",
            "ResultSelector",
            "ResultPath",
            "Output",
            "Assign",
            "Resource",
            "TimeoutSeconds",
            "TimeoutSecondsPath",
            "HeartbeatSeconds",
            "HeartbeatSecondsPath",
            "Credentials",
            "Retry",
            "Catch",
            "Next",
            "End",
        ],
        "Parallel" => &[
            "InputPath",
            "OutputPath",
            "Parameters",
            "Arguments",
            "ResultSelector",
            "ResultPath",
            "Output",
            "Assign",
            "Branches",
            "Retry",
            "Catch",
            "Next",
            "End",
        ],
        "Map" => &[
            "InputPath",
            "OutputPath",
            "Parameters",
            "ResultSelector",
            "ResultPath",
            "Output",
            "Assign",
            "ItemProcessor",
            "Iterator",
            "ItemsPath",
            "Items",
            "ItemSelector",
            "MaxConcurrency",
            "MaxConcurrencyPath",
            "ItemReader",
            "ItemBatcher",
            "ResultWriter",
            "ToleratedFailureCount",
            "ToleratedFailureCountPath",
            "ToleratedFailurePercentage",
            "ToleratedFailurePercentagePath",
            "Label",
            "Retry",
            "Catch",
            "Next",
            "End",
        ],
        _ => return None,
    })
}

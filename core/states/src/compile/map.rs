//! Parallel and Map states.

use std::sync::Arc;

use super::fields::Fields;
use super::{Compiler, Surroundings};
use crate::finding::Code;
use crate::program::template::Template;
use crate::program::{Batcher, Distributed, Dynamic, Items, Kind, Language, Map, Reader, ScopeId};
use crate::selector::Selector;
use crate::value::Value;

impl Compiler<'_> {
    pub(super) fn parallel(
        &mut self,
        fields: &Fields<'_>,
        surroundings: Surroundings<'_>,
    ) -> Option<Kind> {
        self.required(fields, "Branches");
        let items = self.array(fields, "Branches")?;
        if items.is_empty() {
            self.finding(fields.at("Branches"), "Value cannot be empty");
        }
        let mut branches = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let at = format!("{}[{index}]", fields.at("Branches"));
            let Value::Object(members) = item else {
                self.finding(at, "Expected value of type [OBJECT]");
                continue;
            };
            let branch = Fields::new(members, at);
            self.only(&branch, &["StartAt", "States", "Comment"]);
            let machine = surroundings.machine;
            branches.push(self.scope(
                &branch,
                machine,
                surroundings.depth + 1,
                surroundings.distributed,
            ));
        }
        Some(Kind::Parallel { branches })
    }

    pub(super) fn map(
        &mut self,
        fields: &Fields<'_>,
        language: Language,
        surroundings: Surroundings<'_>,
    ) -> Option<Map> {
        let count = (0, i64::from(i32::MAX));
        let max_concurrency = self.dynamic_integer(fields, "MaxConcurrency", language, count);
        let tolerated_count =
            self.dynamic_integer(fields, "ToleratedFailureCount", language, count);
        let tolerated_percentage = self.percentage(fields, language);
        let items = self.items(fields, language);
        let item_selector = match (language, fields.has("ItemSelector")) {
            (Language::JsonPath, false) => self.template(fields, "Parameters", language),
            _ => self.template(fields, "ItemSelector", language),
        };
        let processor = self.processor(fields, language, surroundings);
        let (processor, distributed) = processor?;
        if distributed.is_none() {
            for name in ["ItemReader", "ItemBatcher", "ResultWriter", "Label"] {
                if fields.has(name) {
                    let message = format!(
                        "Field '{name}' is only supported for a Map state in DISTRIBUTED mode"
                    );
                    self.finding(fields.here(), message);
                }
            }
        }
        Some(Map {
            processor,
            distributed,
            items,
            item_selector,
            max_concurrency,
            tolerated_count,
            tolerated_percentage,
        })
    }

    fn percentage(&mut self, fields: &Fields<'_>, language: Language) -> Option<Dynamic> {
        let (field, path) = ("ToleratedFailurePercentage", "ToleratedFailurePercentagePath");
        self.one_of(fields, &[field, path]);
        if language == Language::JsonPath && fields.has(path) {
            return self.path_field(fields, path);
        }
        if Self::is_query(fields, field, language) {
            return self.query_field(fields, field, language);
        }
        self.number(fields, field, 0.0, 100.0)?;
        fields.get(field).cloned().map(Dynamic::Given)
    }

    fn items(&mut self, fields: &Fields<'_>, language: Language) -> Items {
        match language {
            Language::JsonPath => {
                let Some(text) = self.string(fields, "ItemsPath") else { return Items::Input };
                match Selector::parse_path(&text) {
                    Some(selector) => Items::Path(selector),
                    None => {
                        self.finding(fields.at("ItemsPath"), "Value is not a Reference Path");
                        Items::Input
                    }
                }
            }
            Language::Jsonata => match self.template(fields, "Items", language) {
                Some(template) => Items::Template(template),
                None => Items::Input,
            },
        }
    }

    fn processor(
        &mut self,
        fields: &Fields<'_>,
        language: Language,
        surroundings: Surroundings<'_>,
    ) -> Option<(ScopeId, Option<Distributed>)> {
        let name = match (fields.has("ItemProcessor"), fields.has("Iterator")) {
            (true, true) => {
                self.one_of(fields, &["ItemProcessor", "Iterator"]);
                return None;
            }
            (false, true) => "Iterator",
            _ => "ItemProcessor",
        };
        if !self.required(fields, name) {
            return None;
        }
        let members = self.object(fields, name)?;
        let inner = Fields::new(members, fields.at(name));
        self.only(&inner, &["StartAt", "States", "Comment", "ProcessorConfig"]);
        let (mut mode, mut execution) = (None, None);
        if let Some(config) = self.object(&inner, "ProcessorConfig") {
            let config = Fields::new(config, inner.at("ProcessorConfig"));
            self.only(&config, &["Mode", "ExecutionType"]);
            mode = self.choice_of(&config, "Mode", &["INLINE", "DISTRIBUTED"]);
            execution = self.choice_of(&config, "ExecutionType", &["STANDARD", "EXPRESS"]);
            if mode == Some("DISTRIBUTED") {
                self.required(&config, "ExecutionType");
            }
        }
        let is_distributed = mode == Some("DISTRIBUTED");
        let scope = self.scope(
            &inner,
            surroundings.machine,
            surroundings.depth + 1,
            surroundings.distributed || is_distributed,
        );
        if !is_distributed {
            return Some((scope, None));
        }
        let distributed = Distributed {
            express: execution == Some("EXPRESS"),
            label: self.label(fields),
            reader: self.reader(fields, language),
            writer: self.template(fields, "ResultWriter", language),
            batcher: self.batcher(fields, language),
        };
        Some((scope, Some(distributed)))
    }

    fn choice_of(
        &mut self,
        fields: &Fields<'_>,
        name: &str,
        known: &[&'static str],
    ) -> Option<&'static str> {
        let text = self.string(fields, name)?;
        let found = known.iter().copied().find(|one| *one == &*text);
        if found.is_none() {
            let message = format!("Value should be one of the following: [{}]", known.join(", "));
            self.finding(fields.at(name), message);
        }
        found
    }

    fn label(&mut self, fields: &Fields<'_>) -> Option<Arc<str>> {
        let label = self.string(fields, "Label")?;
        let refused = |letter: char| {
            letter.is_whitespace()
                || letter.is_control()
                || "?*<>{}[]:;,\\|^~$#%&`\"".contains(letter)
        };
        let most = self.limits.label_chars;
        if label.is_empty() || label.chars().count() > most || label.contains(refused) {
            let message = format!(
                "The label '{label}' is not valid: it has 1 to {most} characters, \
                no white space and none of ?*<>{{}}[]:;,\\|^~$#%&`\""
            );
            self.other(Code::InvalidLabelName, Some(fields.at("Label")), message);
        }
        if self.labels.insert(Arc::clone(&label), ()).is_some() {
            let message = format!("Duplicate label name: {label}");
            self.other(Code::DuplicateLabelName, Some(fields.at("Label")), message);
        }
        Some(label)
    }

    fn reader(&mut self, fields: &Fields<'_>, language: Language) -> Option<Reader> {
        let members = self.object(fields, "ItemReader")?;
        let inner = Fields::new(members, fields.at("ItemReader"));
        self.required(&inner, "Resource");
        let template = self.reader_template(fields, language)?;
        let config = self.object(&inner, "ReaderConfig");
        let max_items = config.and_then(|config| {
            let config = Fields::new(config, inner.at("ReaderConfig"));
            self.dynamic_integer(&config, "MaxItems", language, (0, 100_000_000))
        });
        Some(Reader { template, max_items })
    }

    /// The reader without what is evaluated apart.
    fn reader_template(&mut self, fields: &Fields<'_>, language: Language) -> Option<Template> {
        self.template(fields, "ItemReader", language)
    }

    fn batcher(&mut self, fields: &Fields<'_>, language: Language) -> Option<Batcher> {
        let members = self.object(fields, "ItemBatcher")?;
        let inner = Fields::new(members, fields.at("ItemBatcher"));
        Some(Batcher {
            max_items: self.dynamic_integer(
                &inner,
                "MaxItemsPerBatch",
                language,
                (0, i64::from(i32::MAX)),
            ),
            max_bytes: self.dynamic_integer(
                &inner,
                "MaxInputBytesPerBatch",
                language,
                (0, 262_144),
            ),
            input: self.template(&inner, "BatchInput", language),
        })
    }
}

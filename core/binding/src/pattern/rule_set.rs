//! `RuleSet`: rules that are matched together.

use std::sync::Mutex;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyIterator, PyList, PyString};
use trunkline_pattern::{Dialect, Format, InvalidEvent, Limits, RuleId, Scratch};

use super::compile::compiled;
use super::compiled::{event_of, match_result};
use super::error::refused;
use super::input::{Attributes, Role, owned_text, with_text};
use super::rule_ids::{RuleIds, check_id};
use super::scope::{dialect_of, scope_of};

use crate::python_call::PythonCall as _;

/// The size of a batch in bytes from which on the GIL is released: about 40 events or 30 us. For a
/// smaller batch, reacquiring the GIL beside busy threads may cost more than the match.
const RELEASE_BYTES: usize = 32 * 1024;

/// A set of rules by id that are matched together. The time of a match depends on the fields that
/// rules name, and little on the number of rules. Readers take no lock.
///
/// An id is a str or an int. Matching ids are returned in iteration order.
///
/// >>> from trunkline import patterns
/// >>> rules = patterns.RuleSet()
/// >>> rules.add("ec2", {"source": ["aws.ec2"]})
/// >>> rules.add_many({"any": {"source": [{"prefix": "aws."}]}, "mine": {"source": ["me"]}})
/// >>> rules.match('{"source": "aws.ec2"}')
/// ['ec2', 'any']
/// >>> len(rules), "mine" in rules, list(rules)
/// (3, True, ['ec2', 'any', 'mine'])
#[pyclass(frozen, module = "trunkline.patterns")]
pub(super) struct RuleSet {
    dialect: Dialect,
    limits: Limits,
    rules: trunkline_pattern::RuleSet,
    ids: RuleIds,
    /// Buffers of the last match, reused by the next.
    buffers: Mutex<Buffers>,
}

#[derive(Default)]
struct Buffers {
    scratch: Scratch,
    found: Vec<RuleId>,
}

#[pymethods]
impl RuleSet {
    #[new]
    #[pyo3(signature = (*, scope="Event", limits=None))]
    fn new(py: Python<'_>, scope: &str, limits: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        Ok(Self {
            dialect: dialect_of(scope)?,
            limits: super::limits::of(limits)?,
            rules: trunkline_pattern::RuleSet::new(),
            ids: RuleIds::new(py),
            buffers: Mutex::default(),
        })
    }

    /// Add a rule, or replace the pattern of the rule with this id.
    ///
    /// `pattern` is a Pattern, a dict or a text. In a set with a scope other than Event it is a
    /// filter policy of that scope. Raises what `patterns.compile` and `patterns.filter_policy`
    /// raise.
    ///
    /// >>> from trunkline import patterns
    /// >>> rules = patterns.RuleSet(scope="MessageAttributes")
    /// >>> rules.add("shop", {"store": ["shop"]})
    /// >>> rules.match({"store": "shop"})
    /// ['shop']
    fn add(&self, id: &Bound<'_, PyAny>, pattern: &Bound<'_, PyAny>) -> PyResult<()> {
        let id = check_id(id)?;
        let pattern = compiled(pattern, self.dialect, &self.limits)?;
        let mut free = self.ids.write(id.py());
        let (number, _) = self.ids.number(&mut free, id)?;
        self.rules.add(number, &pattern);
        Ok(())
    }

    /// Add many rules atomically: pairs of id and pattern, or a mapping. On an error none is added.
    ///
    /// >>> from trunkline import patterns
    /// >>> rules = patterns.RuleSet()
    /// >>> rules.add_many((f"tenant-{n}", {"tenant": [n]}) for n in range(1000))
    /// >>> rules.match({"tenant": 7})
    /// ['tenant-7']
    fn add_many(&self, rules: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = rules.py();
        let pairs = match rules.getattr_opt(intern!(py, "items"))? {
            Some(items) => items.run(())?,
            None => rules.clone(),
        };
        let mut compiled_rules = Vec::new();
        for pair in pairs.try_iter()? {
            let (id, pattern): (Bound<'_, PyAny>, Bound<'_, PyAny>) = pair?.extract()?;
            let pattern = compiled(&pattern, self.dialect, &self.limits)?;
            compiled_rules.push((check_id(&id)?.clone(), pattern));
        }
        let mut free = self.ids.write(py);
        let mut numbered = Vec::with_capacity(compiled_rules.len());
        for (id, pattern) in compiled_rules {
            numbered.push((self.ids.number(&mut free, &id)?.0, pattern));
        }
        py.detach(|| {
            self.rules.add_many(numbered.iter().map(|(number, pattern)| (*number, pattern)));
        });
        Ok(())
    }

    /// Remove a rule. Returns whether it existed.
    ///
    /// >>> from trunkline import patterns
    /// >>> rules = patterns.RuleSet()
    /// >>> rules.add("a", {"a": [1]})
    /// >>> rules.remove("a"), rules.remove("a")
    /// (True, False)
    fn remove(&self, id: &Bound<'_, PyAny>) -> PyResult<bool> {
        let id = check_id(id)?;
        let mut free = self.ids.write(id.py());
        let Some(number) = self.ids.find(id)? else {
            return Ok(false);
        };
        // In this order: a match must not find a number that is free.
        self.rules.remove(number);
        self.ids.forget(&mut free, id, number)?;
        Ok(true)
    }

    /// The ids of the rules that `event` matches.
    ///
    /// `trusted` means the same as in `Pattern.matches`.
    ///
    /// >>> from trunkline import patterns
    /// >>> rules = patterns.RuleSet()
    /// >>> rules.add(1, {"detail": {"state": [{"anything-but": "stopped"}]}})
    /// >>> rules.match(b'{"detail": {"state": "running"}}')
    /// [1]
    #[pyo3(signature = (event, *, trusted=false))]
    fn r#match<'py>(
        &self,
        event: &Bound<'py, PyAny>,
        trusted: bool,
    ) -> PyResult<Bound<'py, PyList>> {
        let py = event.py();
        if self.dialect == Dialect::FilterAttributes {
            return self.match_attributes(event);
        }
        with_text(event, Role::Event, |text| {
            self.with_buffers(|buffers| {
                buffers.found.clear();
                let event = event_of(text, trusted, self.limits.depth);
                let found = self.rules.matches(event, &mut buffers.scratch, &mut buffers.found);
                match match_result(py, self.dialect, found.map(|()| true), false)? {
                    true => self.ids.ids(py, &buffers.found),
                    false => Ok(PyList::empty(py)),
                }
            })
        })
    }

    /// The ids of the matching rules for each of many events. Releases the GIL.
    ///
    /// Raises InvalidEvent for the first event that cannot be parsed, with its index.
    ///
    /// >>> from trunkline import patterns
    /// >>> rules = patterns.RuleSet()
    /// >>> rules.add("odd", {"n": [1, 3, 5]})
    /// >>> rules.match_many(['{"n": 1}', '{"n": 2}', '{"n": 3}'])
    /// [['odd'], [], ['odd']]
    #[pyo3(signature = (events, *, trusted=false))]
    fn match_many<'py>(
        &self,
        events: &Bound<'py, PyAny>,
        trusted: bool,
    ) -> PyResult<Bound<'py, PyList>> {
        let py = events.py();
        let events: Vec<Bound<'py, PyAny>> = events.try_iter()?.collect::<PyResult<_>>()?;
        if self.dialect == Dialect::FilterAttributes {
            let lists = events.iter().map(|event| self.match_attributes(event));
            return PyList::new(py, lists.collect::<PyResult<Vec<_>>>()?);
        }
        let owners: Vec<EventText<'_>> =
            events.iter().map(EventText::of).collect::<PyResult<_>>()?;
        let texts: Vec<&[u8]> = owners.iter().map(EventText::text).collect();
        let batch = self.ids.batch();
        let size: usize = texts.iter().map(|text| text.len()).sum();
        let answer = if size < RELEASE_BYTES {
            self.match_batch(&texts, trusted)
        } else {
            py.detach(|| self.match_batch(&texts, trusted))
        };
        let answer = answer.map_err(|(index, error)| {
            refused(py, format!("Event {index} of the batch: {error}"), error.offset)
        })?;
        let mut start = 0;
        let lists = answer.ends.iter().map(|&end| {
            let list = self.ids.ids(py, &answer.found[start..end]);
            start = end;
            list
        });
        let lists = lists.collect::<PyResult<Vec<_>>>()?;
        drop(batch);
        PyList::new(py, lists)
    }

    /// Draw the index of a small set, as "text" or as "dot" for Graphviz.
    ///
    /// >>> from trunkline import patterns
    /// >>> rules = patterns.RuleSet()
    /// >>> rules.add("on", {"state": ["running"]})
    /// >>> print(rules.draw(), end="")
    /// state
    ///   is "running" -> #0 {"state": "running"} = on
    #[pyo3(signature = (format="text"))]
    fn draw(&self, py: Python<'_>, format: &str) -> PyResult<String> {
        let format = match format {
            "text" => Format::Text,
            "dot" => Format::Dot,
            _ => {
                return Err(crate::error::invalid(format!(
                    "Value {format} for parameter format is invalid. Reason: Must be text or dot."
                )));
            }
        };
        Ok(self.rules.snapshot().draw(format, |number| self.ids.name(py, number)))
    }

    /// The scope of the rules: Event, MessageBody or MessageAttributes.
    #[getter]
    fn scope(&self) -> &'static str {
        scope_of(self.dialect)
    }

    fn __len__(&self, py: Python<'_>) -> usize {
        self.ids.len(py)
    }

    fn __contains__(&self, id: &Bound<'_, PyAny>) -> PyResult<bool> {
        // A value that cannot be an id is not in the set.
        match check_id(id) {
            Ok(id) => Ok(self.ids.find(id)?.is_some()),
            Err(_) => Ok(false),
        }
    }

    /// Iterates over a copy of the ids, so the set may change meanwhile.
    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
        self.ids.all(py)?.try_iter()
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        let scope = scope_of(self.dialect);
        format!("<RuleSet of scope {scope}: {} rules>", self.ids.len(py))
    }
}

/// The matches of a batch: the rules of all events, and the end of each event's part.
struct BatchMatches {
    found: Vec<RuleId>,
    ends: Vec<usize>,
}

impl RuleSet {
    fn match_attributes<'py>(&self, event: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
        let py = event.py();
        let attributes = Attributes::of(event)?;
        self.with_buffers(|buffers| {
            buffers.found.clear();
            let (scratch, found) = (&mut buffers.scratch, &mut buffers.found);
            match self.rules.match_attributes(&attributes.borrowed(), scratch, found) {
                Ok(()) => self.ids.ids(py, &buffers.found),
                // SNS does not deliver attributes that it cannot parse; this is not an error.
                Err(_) => Ok(PyList::empty(py)),
            }
        })
    }

    /// Matches a batch without the GIL. An error has the index of its event.
    fn match_batch(
        &self,
        texts: &[&[u8]],
        trusted: bool,
    ) -> Result<BatchMatches, (usize, InvalidEvent)> {
        let mut answer = BatchMatches { found: Vec::new(), ends: Vec::with_capacity(texts.len()) };
        let (mut buffers, rules) = (Buffers::default(), self.rules.snapshot());
        for (index, text) in texts.iter().enumerate() {
            buffers.found.clear();
            match rules.matches(
                event_of(text, trusted, self.limits.depth),
                &mut buffers.scratch,
                &mut buffers.found,
            ) {
                Ok(()) => answer.found.extend_from_slice(&buffers.found),
                Err(_) if self.dialect != Dialect::EventPattern => {}
                Err(error) => return Err((index, error)),
            }
            answer.ends.push(answer.found.len());
        }
        Ok(answer)
    }

    /// Calls `run` with the buffers of the set, or with new ones while another thread uses them.
    #[inline]
    fn with_buffers<R>(&self, run: impl FnOnce(&mut Buffers) -> R) -> R {
        match self.buffers.try_lock() {
            Ok(mut buffers) => run(&mut buffers),
            Err(_) => run(&mut Buffers::default()),
        }
    }
}

/// The text of an event of a batch: borrowed from a Python object, or owned.
enum EventText<'a> {
    Bytes(&'a [u8]),
    Copied(Vec<u8>),
}

impl<'a> EventText<'a> {
    fn of(event: &'a Bound<'_, PyAny>) -> PyResult<Self> {
        if let Ok(bytes) = event.cast::<PyBytes>() {
            return Ok(Self::Bytes(bytes.as_bytes()));
        }
        if let Some(text) = event.cast::<PyString>().ok().and_then(|text| text.to_str().ok()) {
            return Ok(Self::Bytes(text.as_bytes()));
        }
        owned_text(event, Role::Event).map(Self::Copied)
    }

    fn text(&self) -> &[u8] {
        match self {
            Self::Bytes(text) => text,
            Self::Copied(text) => text,
        }
    }
}

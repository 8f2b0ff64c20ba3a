//! Many rules, matched together.

use std::sync::Mutex;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyIterator, PyList, PyString};
use trunkline_pattern::{Dialect, Format, InvalidEvent, Limits, RuleId, Scratch};

use super::compile::{compiled, dialect_of, scope_of};
use super::error::refused;
use super::given::{Attributes, Role, copied, with_text};
use super::one::{filtered, given};
use super::slots::{Slots, checked};

/// Bytes of a batch from which on the interpreter is released: about 40 events, some 30 us. Below,
/// winning it back beside computing threads may cost more than all of the work.
const RELEASE_BYTES: usize = 32 * 1024;

/// Rules by id, matched together: the time of a match grows with the fields that rules name, hardly
/// with their number. Readers never wait for each other or for a writer.
///
/// An id is a str or an int. Matches come in the order in which the set is iterated.
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
    slots: Slots,
    /// What a match works with, kept for the next one.
    work: Mutex<Work>,
}

#[derive(Default)]
struct Work {
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
            slots: Slots::new(py),
            work: Mutex::default(),
        })
    }

    /// Add a rule, or give the rule of this id another pattern.
    ///
    /// `pattern` is a Pattern, a dict or a text; a set of another scope than Event takes filter
    /// policies of its scope. Raises what `patterns.compile` and `patterns.filter_policy` raise.
    ///
    /// >>> from trunkline import patterns
    /// >>> rules = patterns.RuleSet(scope="MessageAttributes")
    /// >>> rules.add("shop", {"store": ["shop"]})
    /// >>> rules.match({"store": "shop"})
    /// ['shop']
    fn add(&self, id: &Bound<'_, PyAny>, pattern: &Bound<'_, PyAny>) -> PyResult<()> {
        let id = checked(id)?;
        let pattern = compiled(pattern, self.dialect, &self.limits)?;
        let mut spare = self.slots.write(id.py());
        let (number, _) = self.slots.number(&mut spare, id)?;
        self.rules.add(number, &pattern);
        Ok(())
    }

    /// Add many rules at once: pairs of id and pattern, or a mapping. All of them, or on an error
    /// none.
    ///
    /// >>> from trunkline import patterns
    /// >>> rules = patterns.RuleSet()
    /// >>> rules.add_many((f"tenant-{n}", {"tenant": [n]}) for n in range(1000))
    /// >>> rules.match({"tenant": 7})
    /// ['tenant-7']
    fn add_many(&self, rules: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = rules.py();
        let pairs = match rules.getattr_opt(intern!(py, "items"))? {
            Some(items) => items.call0()?,
            None => rules.clone(),
        };
        let mut compiled_rules = Vec::new();
        for pair in pairs.try_iter()? {
            let (id, pattern): (Bound<'_, PyAny>, Bound<'_, PyAny>) = pair?.extract()?;
            let pattern = compiled(&pattern, self.dialect, &self.limits)?;
            compiled_rules.push((checked(&id)?.clone(), pattern));
        }
        let mut spare = self.slots.write(py);
        let mut numbered = Vec::with_capacity(compiled_rules.len());
        for (id, pattern) in compiled_rules {
            numbered.push((self.slots.number(&mut spare, &id)?.0, pattern));
        }
        py.detach(|| {
            self.rules.add_many(numbered.iter().map(|(number, pattern)| (*number, pattern)));
        });
        Ok(())
    }

    /// Remove a rule; whether it was there.
    ///
    /// >>> from trunkline import patterns
    /// >>> rules = patterns.RuleSet()
    /// >>> rules.add("a", {"a": [1]})
    /// >>> rules.remove("a"), rules.remove("a")
    /// (True, False)
    fn remove(&self, id: &Bound<'_, PyAny>) -> PyResult<bool> {
        let id = checked(id)?;
        let mut spare = self.slots.write(id.py());
        let Some(number) = self.slots.find(id)? else {
            return Ok(false);
        };
        // In this order: once the number is free, nothing must find it.
        self.rules.remove(number);
        self.slots.forget(&mut spare, id, number)?;
        Ok(true)
    }

    /// The ids of the rules that `event` matches.
    ///
    /// An event that was validated before may be `trusted`, as in `Pattern.matches`.
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
            self.with_work(|work| {
                work.found.clear();
                let event = given(text, trusted, self.limits.depth);
                let found = self.rules.matches(event, &mut work.scratch, &mut work.found);
                match filtered(py, self.dialect, found.map(|()| true), false)? {
                    true => self.slots.ids(py, &work.found),
                    false => Ok(PyList::empty(py)),
                }
            })
        })
    }

    /// The ids for each of many events. Other threads run meanwhile: the interpreter is released.
    ///
    /// Raises InvalidEvent for the first event that cannot be read, and names its place.
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
        let held: Vec<Held<'_>> = events.iter().map(Held::of).collect::<PyResult<_>>()?;
        let texts: Vec<&[u8]> = held.iter().map(Held::text).collect();
        let batch = self.slots.batch();
        let size: usize = texts.iter().map(|text| text.len()).sum();
        let answer = if size < RELEASE_BYTES {
            self.answer(&texts, trusted)
        } else {
            py.detach(|| self.answer(&texts, trusted))
        };
        let answer = answer.map_err(|(place, error)| {
            refused(py, format!("Event {place} of the batch: {error}"), error.offset)
        })?;
        let mut start = 0;
        let lists = answer.ends.iter().map(|&end| {
            let list = self.slots.ids(py, &answer.found[start..end]);
            start = end;
            list
        });
        let lists = lists.collect::<PyResult<Vec<_>>>()?;
        drop(batch);
        PyList::new(py, lists)
    }

    /// A drawing of how the set finds its rules, for a few of them: "text", or "dot" for Graphviz.
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
        Ok(self.rules.snapshot().draw(format, |number| self.slots.name(py, number)))
    }

    /// What the rules look at: Event, MessageBody or MessageAttributes.
    #[getter]
    fn scope(&self) -> &'static str {
        scope_of(self.dialect)
    }

    fn __len__(&self, py: Python<'_>) -> usize {
        self.slots.len(py)
    }

    fn __contains__(&self, id: &Bound<'_, PyAny>) -> PyResult<bool> {
        // What cannot be an id is not there, as with any container.
        match checked(id) {
            Ok(id) => Ok(self.slots.find(id)?.is_some()),
            Err(_) => Ok(false),
        }
    }

    /// Over the ids as they are now; the set may change meanwhile.
    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
        self.slots.all(py)?.try_iter()
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        let scope = scope_of(self.dialect);
        format!("<RuleSet of scope {scope}: {} rules>", self.slots.len(py))
    }
}

/// What the events of a batch matched: the rules of all, and where those of each end.
struct Answer {
    found: Vec<RuleId>,
    ends: Vec<usize>,
}

impl RuleSet {
    fn match_attributes<'py>(&self, event: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
        let py = event.py();
        let attributes = Attributes::of(event)?;
        self.with_work(|work| {
            work.found.clear();
            let (scratch, found) = (&mut work.scratch, &mut work.found);
            match self.rules.match_attributes(&attributes.borrowed(), scratch, found) {
                Ok(()) => self.slots.ids(py, &work.found),
                // What SNS cannot read is not delivered, which is no error.
                Err(_) => Ok(PyList::empty(py)),
            }
        })
    }

    /// Matches a batch, without Python; on an error says at which event.
    fn answer(&self, texts: &[&[u8]], trusted: bool) -> Result<Answer, (usize, InvalidEvent)> {
        let mut answer = Answer { found: Vec::new(), ends: Vec::with_capacity(texts.len()) };
        let (mut work, rules) = (Work::default(), self.rules.snapshot());
        for (place, text) in texts.iter().enumerate() {
            work.found.clear();
            match rules.matches(
                given(text, trusted, self.limits.depth),
                &mut work.scratch,
                &mut work.found,
            ) {
                Ok(()) => answer.found.extend_from_slice(&work.found),
                Err(_) if self.dialect != Dialect::EventPattern => {}
                Err(error) => return Err((place, error)),
            }
            answer.ends.push(answer.found.len());
        }
        Ok(answer)
    }

    /// Calls `run` with the memory of the last match, or with fresh memory if that is in use.
    #[inline]
    fn with_work<R>(&self, run: impl FnOnce(&mut Work) -> R) -> R {
        match self.work.try_lock() {
            Ok(mut work) => run(&mut work),
            Err(_) => run(&mut Work::default()),
        }
    }
}

/// An event of a batch, held so that its text stays where it is.
enum Held<'a> {
    Bytes(&'a [u8]),
    Copied(Vec<u8>),
}

impl<'a> Held<'a> {
    fn of(event: &'a Bound<'_, PyAny>) -> PyResult<Self> {
        if let Ok(bytes) = event.cast::<PyBytes>() {
            return Ok(Self::Bytes(bytes.as_bytes()));
        }
        if let Some(text) = event.cast::<PyString>().ok().and_then(|text| text.to_str().ok()) {
            return Ok(Self::Bytes(text.as_bytes()));
        }
        copied(event, Role::Event).map(Self::Copied)
    }

    fn text(&self) -> &[u8] {
        match self {
            Self::Bytes(text) => text,
            Self::Copied(text) => text,
        }
    }
}

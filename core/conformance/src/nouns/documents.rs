//! Documents: what control planes keep beside the resources.

use std::collections::BTreeMap;

use trunkline_engine::{Engine, Result, Ticket};
use trunkline_journal::sim::Random;

use crate::Noun;

/// Documents under test.
pub struct DocumentNoun;

impl Noun for DocumentNoun {
    fn name(&self) -> &'static str {
        "documents"
    }

    fn fill(&self, engine: &Engine) {
        for (key, value) in [("tags/b", "2"), ("tags/a", "1"), ("tags/gone", "0")] {
            engine.put_document(key, Some(value.as_bytes())).unwrap();
        }
        engine.put_document("tags/gone", None).unwrap();
        engine.put_document("tags/b", Some(b"3")).unwrap();
    }

    fn look(&self, engine: &Engine) -> Vec<String> {
        let all = engine.documents("");
        all.iter().map(|(key, value)| format!("{key} {}", String::from_utf8_lossy(value))).collect()
    }

    fn resources(&self) -> Vec<&'static str> {
        vec!["tags/a", "tags/b"]
    }

    fn touch(&self, engine: &Engine) -> Result<()> {
        engine.put_document("tags/a", None).map(drop)
    }

    fn operate(&self, engine: &Engine, random: &mut Random) -> Option<Ticket> {
        let key = ["work/a", "work/b"][random.below(2)];
        let value = random.next_u64().to_le_bytes();
        engine.put_document(key, (!random.once_in(4)).then_some(&value)).unwrap()
    }

    fn states(&self, engine: &Engine) -> BTreeMap<String, Vec<u8>> {
        engine.documents("work/").into_iter().collect()
    }
}

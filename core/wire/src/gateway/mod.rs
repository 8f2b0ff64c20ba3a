//! The data path of APIs of API Gateway, where it needs no control plane: routes, token buckets,
//! templates and calls of data planes.
//!
//! The control plane compiles the stage that a request names to a [`table`], from the documents
//! that it keeps of the API. A table counts for as long as these very documents are stored. Some
//! requests are not plainly served by it: there is no table or no route, a template cannot be
//! rendered, or the operation fails. They have left no trace then, and the control plane answers
//! them from their beginning.

mod answer;
mod buckets;
mod cors;
mod documents;
mod incoming;
mod routes;
mod spaced_json;
mod stage;
mod table;

pub(crate) use answer::{Frame, PendingAnswer};
pub use buckets::TokenBuckets;
pub(crate) use documents::StageDocuments;
pub(crate) use stage::{Admitted, Called, Stage, Target};

use std::collections::HashMap;
use std::sync::Arc;

use trunkline_engine::Engine;
use trunkline_types::sync::{Mutex, lock};

use crate::limits::COMPILED_STAGES_MAX;

/// The stages that were compiled, by the keys of their documents.
#[derive(Default)]
pub(crate) struct Gateway(Mutex<HashMap<String, Arc<Known>>>);

/// What was compiled of some documents.
struct Known {
    documents: StageDocuments,
    /// `None`: the control plane serves all of it.
    stage: Option<Arc<Stage>>,
}

impl Gateway {
    /// The stage of these documents, if it was compiled from what is stored under their keys now.
    pub fn stage(&self, engine: &Engine, documents: &StageDocuments) -> Option<Arc<Stage>> {
        self.known(engine, documents)?.stage.clone()
    }

    /// Whether the stage of these documents has to be compiled.
    pub fn is_unknown(&self, engine: &Engine, documents: &StageDocuments) -> bool {
        self.known(engine, documents).is_none()
    }

    fn known(&self, engine: &Engine, documents: &StageDocuments) -> Option<Arc<Known>> {
        let known = lock(&self.0).get(documents.key()).cloned()?;
        known.documents.is_stored(engine, documents).then_some(known)
    }

    /// Remembers what was compiled of documents, or that nothing was.
    pub fn install(&self, documents: StageDocuments, stage: Option<Stage>) {
        let mut stages = lock(&self.0);
        if stages.len() >= COMPILED_STAGES_MAX {
            stages.clear();
        }
        let known = Known { stage: stage.map(Arc::new), documents };
        stages.insert(known.documents.key().to_owned(), Arc::new(known));
    }

    /// Forgets everything.
    pub fn clear(&self) {
        lock(&self.0).clear();
    }
}

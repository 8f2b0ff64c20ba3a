//! Which documents a path below an API leads to: those of its stage, and of what is deployed there.

use std::sync::Arc;

use serde::Deserialize;
use trunkline_engine::Engine;

use super::routes::unescaped;
use super::table::Style;

const DEFAULT_STAGE: &str = "$default";

/// A document as it was stored at some time.
type Stored = (String, Arc<[u8]>);

/// A stage of an API, by its documents.
pub(crate) struct StageDocuments {
    style: Style,
    /// Of the stage, then of the API where it has one of its own, then of the deployment once it
    /// was looked up.
    documents: Vec<Stored>,
}

#[derive(Deserialize)]
struct RestDocument {
    stage: RestStage,
}

#[derive(Deserialize)]
struct RestStage {
    #[serde(rename = "deploymentId")]
    deployment: String,
}

#[derive(Deserialize)]
struct HttpStage {
    #[serde(rename = "DeploymentId")]
    deployment: Option<String>,
}

fn stored(engine: &Engine, key: String) -> Option<Stored> {
    let document = engine.shared_document(&key)?;
    Some((key, document))
}

impl StageDocuments {
    /// The stage that a path below an API leads to, and the path below the stage, still escaped.
    pub fn find(engine: &Engine, api: &str, path: &str) -> Option<(Self, String)> {
        // Labels of function URLs and of domain names have a slash.
        if api.is_empty() || api.contains('/') || !path.is_ascii() {
            return None;
        }
        let rest = path.trim_start_matches('/');
        let (name, below) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        if !name.is_empty()
            && let Some(stage) = stored(engine, format!("apigateway/stage/{api}/{name}"))
        {
            let found = Self { style: Style::Rest, documents: vec![stage] };
            return Some((found, format!("/{}", below.trim_start_matches('/'))));
        }
        let owner = stored(engine, format!("apigatewayv2/owner/{api}"))?;
        let stage = |name: &str| stored(engine, format!("apigatewayv2/stage/{api}/{name}"));
        let inner = path.get(1..).unwrap_or("");
        let (first, below) = inner.split_once('/').unwrap_or((inner, ""));
        let first = unescaped(first);
        let is_name = !first.is_empty() && first != DEFAULT_STAGE;
        if let Some(stage) = is_name.then(|| stage(&first)).flatten() {
            let found = Self { style: Style::Http, documents: vec![stage, owner] };
            return Some((found, format!("/{below}")));
        }
        let found = Self { style: Style::Http, documents: vec![stage(DEFAULT_STAGE)?, owner] };
        Some((found, path.to_owned()))
    }

    /// The key of the stage's document.
    pub fn key(&self) -> &str {
        &self.documents[0].0
    }

    /// The kind of the API.
    pub fn style(&self) -> Style {
        self.style
    }

    /// What the documents hold: those of the stage, of the API where it has one of its own, and of
    /// the deployment.
    pub fn contents(&self) -> Vec<&[u8]> {
        self.documents.iter().map(|(_, document)| &**document).collect()
    }

    /// The same with what is deployed; `None` where nothing is.
    pub fn with_deployment(mut self, engine: &Engine, api: &str) -> Option<Self> {
        let stage = &self.documents[0].1;
        let (kind, deployment) = match self.style {
            Style::Rest => {
                let read: RestDocument = serde_json::from_slice(stage).ok()?;
                ("apigateway", read.stage.deployment)
            }
            Style::Http => {
                let read: HttpStage = serde_json::from_slice(stage).ok()?;
                ("apigatewayv2", read.deployment?)
            }
        };
        self.documents.push(stored(engine, format!("{kind}/deployment/{api}/{deployment}"))?);
        Some(self)
    }

    /// Whether all documents are stored as they were, `now` being what was looked up of them again.
    pub fn is_stored(&self, engine: &Engine, now: &Self) -> bool {
        let (looked_up, others) = self.documents.split_at(now.documents.len());
        let is_same = looked_up
            .iter()
            .zip(&now.documents)
            .all(|(before, now)| before.0 == now.0 && Arc::ptr_eq(&before.1, &now.1));
        let is_there = |(key, before): &Stored| {
            engine.shared_document(key).is_some_and(|now| Arc::ptr_eq(before, &now))
        };
        is_same && others.iter().all(is_there)
    }
}

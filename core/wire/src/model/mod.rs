//! A service model as a compact table: what an operation takes and gives, and how it is bound.
//!
//! Models are botocore's, read as bytes at run time, one service when it is first called. Nothing
//! of them lies in this tree.

mod load;
mod route;
mod shape;

pub use shape::{Constraints, ErrorTrait, Kind, Location, Member, Shape, ShapeId, TimeFormat};

use std::collections::HashMap;

/// One service.
#[derive(Debug)]
pub struct Model {
    /// What the service as a whole says about itself.
    pub metadata: Metadata,
    operations: HashMap<Box<str>, Operation>,
    shapes: Vec<Shape>,
    by_name: HashMap<Box<str>, ShapeId>,
    routes: route::Routes,
}

/// What a service says about itself.
#[derive(Debug, Default)]
pub struct Metadata {
    /// The protocols it is reached by, the preferred one first.
    pub protocols: Vec<Protocol>,
    /// What `X-Amz-Target` starts with.
    pub target_prefix: Option<String>,
    /// `1.0` or `1.1`.
    pub json_version: Option<String>,
    /// The namespace of XML answers.
    pub xml_namespace: Option<String>,
    /// The version of the API, a date.
    pub api_version: String,
    /// The service was once a query service: JSON errors carry `x-amzn-query-error`.
    pub query_compatible: bool,
    /// The service's name in a signature's scope.
    pub signing_name: String,
}

/// How a request and its answer are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// JSON bodies, the operation in `X-Amz-Target`.
    Json,
    /// Form bodies, XML answers.
    Query,
    /// JSON bodies, operation and members in path, query string and headers.
    RestJson,
    /// The same with XML bodies.
    RestXml,
    /// CBOR bodies, the operation in the path.
    Cbor,
}

/// One operation.
#[derive(Debug)]
pub struct Operation {
    /// Its name.
    pub name: Box<str>,
    /// Its HTTP method.
    pub method: Box<str>,
    /// Its path, with labels and perhaps a fixed query string.
    pub uri: Box<str>,
    /// The status of its answer.
    pub status: u16,
    /// What it takes.
    pub input: Option<ShapeId>,
    /// The name and namespace of the XML element that the input is wrapped in.
    pub input_element: (Option<Box<str>>, Option<Box<str>>),
    /// What it gives.
    pub output: Option<ShapeId>,
    /// The XML element that a query answer is wrapped in.
    pub result_wrapper: Option<Box<str>>,
    /// There is a newer operation for the same thing.
    pub deprecated: bool,
}

impl Model {
    /// Reads a model, and a smaller document of the same form whose entries replace the model's.
    pub fn load(model: &[u8], overlay: Option<&[u8]>) -> Result<Self, String> {
        load::load(model, overlay)
    }

    /// The operation of this name.
    pub fn operation(&self, name: &str) -> Option<&Operation> {
        self.operations.get(name)
    }

    /// Every operation, in no order.
    pub fn operations(&self) -> impl Iterator<Item = &Operation> {
        self.operations.values()
    }

    /// The shape behind an id of this model.
    pub fn shape(&self, id: ShapeId) -> &Shape {
        &self.shapes[id.0 as usize]
    }

    /// The shape of this name: errors are named by callers.
    pub fn shape_named(&self, name: &str) -> Option<&Shape> {
        self.by_name.get(name).map(|id| self.shape(*id))
    }

    /// Whether the model names this protocol.
    pub fn speaks(&self, protocol: Protocol) -> bool {
        self.metadata.protocols.contains(&protocol)
    }
}

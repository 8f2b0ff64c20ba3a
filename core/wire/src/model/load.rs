//! From the JSON of a service model to the table. Documentation is skipped while parsing.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;

use super::route::Routes;
use super::shape::{Constraints, ErrorTrait, Kind, Location, Member, Shape, ShapeId, TimeFormat};
use super::{Metadata, Model, Operation, Protocol};

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct RawModel {
    metadata: RawMetadata,
    operations: BTreeMap<String, RawOperation>,
    shapes: BTreeMap<String, RawShape>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct RawMetadata {
    protocol: Option<String>,
    protocols: Vec<String>,
    target_prefix: Option<String>,
    json_version: Option<String>,
    xml_namespace: Option<RawNamespace>,
    api_version: String,
    aws_query_compatible: Option<serde::de::IgnoredAny>,
    endpoint_prefix: String,
    signing_name: Option<String>,
}

// A service writes its namespace as a string, a shape as an object.
#[derive(Deserialize)]
#[serde(untagged)]
enum RawNamespace {
    Plain(String),
    Full { prefix: Option<String>, uri: String },
}

impl RawNamespace {
    fn split(self) -> (Option<Box<str>>, Box<str>) {
        match self {
            Self::Plain(uri) => (None, uri.into()),
            Self::Full { prefix, uri } => (prefix.map(Into::into), uri.into()),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawOperation {
    name: Option<String>,
    #[serde(default)]
    http: RawHttp,
    input: Option<RawMember>,
    output: Option<RawMember>,
    #[serde(default)]
    deprecated: bool,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct RawHttp {
    method: Option<String>,
    request_uri: Option<String>,
    response_code: Option<u16>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct RawMember {
    shape: String,
    location: Option<String>,
    location_name: Option<String>,
    query_name: Option<String>,
    flattened: bool,
    xml_attribute: bool,
    xml_namespace: Option<RawNamespace>,
    timestamp_format: Option<String>,
    jsonvalue: bool,
    eventpayload: bool,
    eventheader: bool,
    result_wrapper: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct RawShape {
    #[serde(rename = "type")]
    kind: String,
    // Arrives in the model's order, which is the order of answers.
    members: Ordered,
    required: Vec<String>,
    member: Option<RawMember>,
    key: Option<RawMember>,
    value: Option<RawMember>,
    min: Option<f64>,
    max: Option<f64>,
    pattern: Option<String>,
    #[serde(rename = "enum")]
    values: Vec<String>,
    flattened: bool,
    sparse: bool,
    timestamp_format: Option<String>,
    error: Option<RawError>,
    exception: bool,
    fault: bool,
    union: bool,
    document: bool,
    payload: Option<String>,
    eventstream: bool,
    location_name: Option<String>,
    xml_namespace: Option<RawNamespace>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct RawError {
    code: Option<String>,
    http_status_code: Option<u16>,
}

#[derive(Default)]
struct Ordered(Vec<(String, RawMember)>);

impl<'de> Deserialize<'de> for Ordered {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Ordered;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("the members of a structure")
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                mut map: A,
            ) -> Result<Ordered, A::Error> {
                let mut members = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    members.push(entry);
                }
                Ok(Ordered(members))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

pub(super) fn load(model: &[u8], overlay: Option<&[u8]>) -> Result<Model, String> {
    let mut raw: RawModel = serde_json::from_slice(model).map_err(|e| e.to_string())?;
    if let Some(bytes) = overlay {
        let overlay: RawModel = serde_json::from_slice(bytes).map_err(|e| e.to_string())?;
        merge(&mut raw, overlay);
    }
    let mut by_name = HashMap::new();
    for (place, name) in raw.shapes.keys().enumerate() {
        by_name.insert(Box::from(name.as_str()), ShapeId(place as u32));
    }
    let mut shapes = Vec::with_capacity(raw.shapes.len());
    for (name, shape) in raw.shapes {
        shapes.push(convert_shape(&by_name, name, shape)?);
    }
    let mut operations = HashMap::new();
    for (name, operation) in raw.operations {
        let converted = convert_operation(&by_name, &name, operation)?;
        operations.insert(name.into_boxed_str(), converted);
    }
    let metadata = convert_metadata(raw.metadata);
    Ok(Model { metadata, operations, shapes, by_name, routes: Routes::default() })
}

// An overlay adds query names and flatness to shapes that exist, and orders the values of
// enumerations; it never changes a type. Entries
// for shapes and members that this version of the model lacks are left out.
fn merge(raw: &mut RawModel, overlay: RawModel) {
    if let Some(namespace) = overlay.metadata.xml_namespace {
        raw.metadata.xml_namespace = Some(namespace);
    }
    for (name, over) in overlay.shapes {
        let Some(shape) = raw.shapes.get_mut(&name) else { continue };
        shape.flattened |= over.flattened;
        for (member, over) in over.members.0 {
            if let Some((_, raw)) = shape.members.0.iter_mut().find(|(name, _)| *name == member) {
                raw.query_name = over.query_name;
            }
        }
        for (into, from) in [
            (&mut shape.member, over.member),
            (&mut shape.key, over.key),
            (&mut shape.value, over.value),
        ] {
            if let (Some(into), Some(from)) = (into.as_mut(), from) {
                into.query_name = from.query_name;
            }
        }
        if over.error.is_some() {
            shape.error = over.error;
        }
        // Values that only the model knows come behind those in the overlay's order.
        let place = |value: &String| over.values.iter().position(|other| other == value);
        shape.values.sort_by_key(|value| place(value).unwrap_or(usize::MAX));
    }
}

fn convert_metadata(raw: RawMetadata) -> Metadata {
    let mut names = raw.protocols;
    if names.is_empty() {
        names.extend(raw.protocol);
    }
    Metadata {
        protocols: names.iter().filter_map(|name| protocol(name)).collect(),
        target_prefix: raw.target_prefix,
        json_version: raw.json_version,
        xml_namespace: raw.xml_namespace.map(|namespace| namespace.split().1.into()),
        api_version: raw.api_version,
        query_compatible: raw.aws_query_compatible.is_some(),
        signing_name: raw.signing_name.unwrap_or(raw.endpoint_prefix),
    }
}

fn protocol(name: &str) -> Option<Protocol> {
    Some(match name {
        "json" => Protocol::Json,
        "query" => Protocol::Query,
        "rest-json" => Protocol::RestJson,
        "rest-xml" => Protocol::RestXml,
        "smithy-rpc-v2-cbor" => Protocol::Cbor,
        _ => return None,
    })
}

type Names = HashMap<Box<str>, ShapeId>;

fn find(names: &Names, name: &str) -> Result<ShapeId, String> {
    names.get(name).copied().ok_or_else(|| format!("the model names no shape {name:?}"))
}

fn convert_operation(names: &Names, key: &str, raw: RawOperation) -> Result<Operation, String> {
    let shape = |member: &Option<RawMember>| {
        member.as_ref().map(|member| find(names, &member.shape)).transpose()
    };
    let (input, output) = (shape(&raw.input)?, shape(&raw.output)?);
    let input_member = raw.input.unwrap_or_default();
    Ok(Operation {
        name: raw.name.as_deref().unwrap_or(key).into(),
        method: raw.http.method.unwrap_or_else(|| "POST".to_owned()).into(),
        uri: raw.http.request_uri.unwrap_or_else(|| "/".to_owned()).into(),
        status: raw.http.response_code.unwrap_or(200),
        input,
        input_element: (
            input_member.location_name.map(Into::into),
            input_member.xml_namespace.map(|namespace| namespace.split().1),
        ),
        output,
        deprecated: raw.deprecated,
        result_wrapper: raw.output.and_then(|member| member.result_wrapper).map(Into::into),
    })
}

fn convert_shape(names: &Names, name: String, raw: RawShape) -> Result<Shape, String> {
    let element = |member: Option<RawMember>, part: &str| {
        let member = member.ok_or_else(|| format!("shape {name:?} has no {part}"))?;
        convert_member(names, String::new(), member, false)
    };
    let kind = match raw.kind.as_str() {
        "structure" if raw.document => Kind::Document,
        "structure" => {
            let mut members = Vec::with_capacity(raw.members.0.len());
            for (name, member) in raw.members.0 {
                let required = raw.required.contains(&name);
                members.push(convert_member(names, name, member, required)?);
            }
            Kind::Structure(members)
        }
        "list" => Kind::List(element(raw.member, "member")?),
        "map" => Kind::Map(element(raw.key, "key")?, element(raw.value, "value")?),
        "string" | "character" => Kind::Text,
        "blob" => Kind::Blob,
        "boolean" => Kind::Bool,
        "integer" | "short" | "byte" => Kind::Int,
        "long" | "biginteger" => Kind::Long,
        "float" | "double" | "bigdecimal" => Kind::Float,
        "timestamp" => Kind::Time,
        other => return Err(format!("shape {name:?} has the unknown type {other:?}")),
    };
    let is_error = raw.exception || raw.fault || raw.error.is_some();
    let error = raw.error.unwrap_or_default();
    let status = error.http_status_code.or(raw.fault.then_some(500));
    Ok(Shape {
        kind,
        constraints: Constraints::new(
            raw.min,
            raw.max,
            raw.values.into_iter().map(Into::into).collect(),
            raw.pattern.map(Into::into),
        ),
        error: is_error.then(|| ErrorTrait { code: error.code.map(Into::into), status }),
        flattened: raw.flattened,
        sparse: raw.sparse,
        time: time_format(raw.timestamp_format.as_deref()),
        union: raw.union,
        payload: raw.payload.map(Into::into),
        event_stream: raw.eventstream,
        element: (
            raw.location_name.map(Into::into),
            raw.xml_namespace.map(|namespace| namespace.split().1),
        ),
        name: name.into(),
    })
}

fn convert_member(
    names: &Names,
    name: String,
    raw: RawMember,
    required: bool,
) -> Result<Member, String> {
    Ok(Member {
        shape: find(names, &raw.shape)?,
        location: match raw.location.as_deref() {
            None => Location::Body,
            Some("uri") => Location::Uri,
            Some("querystring") => Location::Query,
            Some("header") => Location::Header,
            Some("headers") => Location::Headers,
            Some("statusCode") => Location::Status,
            Some(other) => return Err(format!("member {name:?} has the location {other:?}")),
        },
        wire_name: raw.location_name.map(Into::into),
        query_name: raw.query_name.map(Into::into),
        required,
        flattened: raw.flattened,
        xml_attribute: raw.xml_attribute,
        xml_namespace: raw.xml_namespace.map(RawNamespace::split),
        time: time_format(raw.timestamp_format.as_deref()),
        json_value: raw.jsonvalue,
        event_payload: raw.eventpayload,
        event_header: raw.eventheader,
        name: name.into(),
    })
}

fn time_format(name: Option<&str>) -> Option<TimeFormat> {
    match name? {
        "iso8601" => Some(TimeFormat::Iso),
        "rfc822" => Some(TimeFormat::Http),
        _ => Some(TimeFormat::Epoch),
    }
}

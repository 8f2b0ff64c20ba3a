//! A model with a shape of every kind, for all codecs.

use std::sync::OnceLock;

use trunkline_wire::model::{Model, Operation, Shape};

const MODEL: &str = r#"{
  "metadata": {"protocol": "rest-json", "apiVersion": "2026-01-01", "endpointPrefix": "test"},
  "operations": {"Put": {"name": "Put", "http": {"method": "PUT", "requestUri": "/{Name}/{Rest+}?put"},
    "input": {"shape": "Put"}, "output": {"shape": "Thing"}}},
  "shapes": {
    "Put": {"type": "structure", "required": ["Name"], "members": {
      "Name": {"shape": "Name", "location": "uri", "locationName": "Name"},
      "Rest": {"shape": "Text", "location": "uri", "locationName": "Rest"},
      "Size": {"shape": "Long", "location": "querystring", "locationName": "size"},
      "Marks": {"shape": "Items", "location": "header", "locationName": "x-marks"},
      "Thing": {"shape": "Thing"}}},
    "Thing": {"type": "structure", "required": ["Name"], "members": {
      "Name": {"shape": "Name"}, "Count": {"shape": "Long"}, "Ratio": {"shape": "Double"},
      "Data": {"shape": "Blob"}, "When": {"shape": "Time"}, "On": {"shape": "Bool"},
      "Tags": {"shape": "Tags"}, "Items": {"shape": "Items"}, "Flat": {"shape": "Flat"},
      "Any": {"shape": "Any"}, "Inner": {"shape": "Thing"}}},
    "Any": {"type": "structure", "document": true, "members": {}},
    "Name": {"type": "string", "min": 1, "max": 5, "pattern": "[a-z]+"},
    "Text": {"type": "string"}, "Long": {"type": "long"}, "Double": {"type": "double"},
    "Blob": {"type": "blob"}, "Time": {"type": "timestamp"}, "Bool": {"type": "boolean"},
    "Tags": {"type": "map", "key": {"shape": "Text"}, "value": {"shape": "Text"}},
    "Items": {"type": "list", "member": {"shape": "Text"}},
    "Flat": {"type": "list", "member": {"shape": "Long", "locationName": "Number"},
      "flattened": true}
  }
}"#;

/// The model.
pub fn model() -> &'static Model {
    static LOADED: OnceLock<Model> = OnceLock::new();
    LOADED.get_or_init(|| Model::load(MODEL.as_bytes(), None).expect("the model is right"))
}

/// The shape of inputs.
#[allow(dead_code, reason = "not every target looks at it")]
pub fn thing() -> &'static Shape {
    model().shape_named("Thing").expect("the model has it")
}

/// The operation.
#[allow(dead_code, reason = "not every target looks at it")]
pub fn put() -> &'static Operation {
    model().operation("Put").expect("the model has it")
}

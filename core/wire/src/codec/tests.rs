//! One small model through every codec, and nonsense through all of them.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::cbor::TimeUnit;
use super::form::Form;
use super::{cbor, json, query, xml, xml_from_json, xml_read};
use crate::model::{Model, Shape};
use crate::value::Value;

const MODEL: &str = r#"{
  "metadata": {"protocol": "json", "apiVersion": "2026-01-01", "endpointPrefix": "test"},
  "operations": {"Put": {"name": "Put", "http": {"method": "POST", "requestUri": "/"},
    "input": {"shape": "Thing"}, "output": {"shape": "Thing"}}},
  "shapes": {
    "Thing": {"type": "structure", "required": ["Name"], "members": {
      "Name": {"shape": "Name"}, "Count": {"shape": "Long"}, "Ratio": {"shape": "Double"},
      "Data": {"shape": "Blob"}, "When": {"shape": "Time"}, "On": {"shape": "Bool"},
      "Tags": {"shape": "Tags"}, "Items": {"shape": "Items"}, "Flat": {"shape": "Flat"},
      "Inner": {"shape": "Thing"}}},
    "Name": {"type": "string", "min": 1, "max": 5, "pattern": "[a-z]+"},
    "Text": {"type": "string"}, "Long": {"type": "long"}, "Double": {"type": "double"},
    "Blob": {"type": "blob"}, "Time": {"type": "timestamp"}, "Bool": {"type": "boolean"},
    "Tags": {"type": "map", "key": {"shape": "Text"}, "value": {"shape": "Text"}},
    "Items": {"type": "list", "member": {"shape": "Text"}},
    "Flat": {"type": "list", "member": {"shape": "Long", "locationName": "Number"},
      "flattened": true}
  }
}"#;

fn model() -> &'static Model {
    static LOADED: OnceLock<Model> = OnceLock::new();
    LOADED.get_or_init(|| Model::load(MODEL.as_bytes(), None).unwrap())
}

fn thing() -> &'static Shape {
    model().shape_named("Thing").unwrap()
}

fn example() -> Value {
    Value::structure([
        ("Name", "abc".into()),
        ("Count", Value::Int(-7_000_000_000)),
        ("Ratio", Value::Float(0.5)),
        ("Data", Value::Blob(vec![0, 255, 10])),
        ("When", Value::Time(1_767_323_045.0)),
        ("On", Value::Bool(true)),
        ("Tags", Value::Map(vec![("k \"<&".to_owned(), "v\r\u{e9}".into())])),
        ("Items", Value::List(vec!["a".into(), "b".into()])),
        ("Flat", Value::List(vec![Value::Int(1), Value::Int(2)])),
        ("Inner", Value::structure([("Name", "x".into())])),
    ])
}

#[test]
fn json_gives_back_what_it_wrote() {
    let mut out = Vec::new();
    json::write(model(), thing(), &example(), &mut out);
    assert_eq!(json::read(model(), thing(), &out), Ok(example()));
}

#[test]
fn cbor_gives_back_what_it_wrote_in_either_unit_of_time() {
    for unit in [TimeUnit::Seconds, TimeUnit::Millis] {
        let mut out = Vec::new();
        cbor::write(model(), thing(), unit, &example(), &mut out);
        assert_eq!(cbor::read(model(), thing(), unit, &out), Ok(example()));
    }
}

#[test]
fn xml_gives_back_what_it_wrote() {
    let mut out = String::from("<Thing>");
    xml::write_members(model(), xml::Names::Rest, thing(), &example(), &mut out);
    out.push_str("</Thing>");
    assert_eq!(xml_read::read(model(), thing(), out.as_bytes()), Ok(example()));
}

#[test]
fn json_becomes_the_same_xml_as_its_value_or_none() {
    let cases = [
        (
            r#"{"Name":"a<b> \u00e9\u0001","Count":7,"On":true,"Items":["a","&"],"Flat":[1,2]}"#,
            true,
        ),
        (r#"{"Other":{"x":[1]},"Items":[],"Inner":{"Name":"x","Inner":{"On":false}}}"#, true),
        (r#"{"Name":null,"Count":null,"Inner":{}}"#, true),
        ("{}", true),
        // Out of the order of the model; types that are written by way of a value.
        (r#"{"Count":7,"Name":"x"}"#, false),
        (r#"{"Ratio":0.5}"#, false),
        (r#"{"Name":"x","Data":"AAAA"}"#, false),
        (r#"{"When":1}"#, false),
        (r#"{"Tags":{"a":"b"}}"#, false),
        (r#"{"Count":-7}"#, false),
        (r#"{"Name":7}"#, false),
        (r#"{"Name":"x"} {}"#, false),
    ];
    for names in [xml::Names::Query, xml::Names::Rest] {
        for (json, is_direct) in cases {
            let mut out = String::from("before");
            let bytes = json.as_bytes();
            let is_written = xml_from_json::write_members(model(), names, thing(), bytes, &mut out);
            assert_eq!(is_written, is_direct, "{json}");
            let mut expected = String::from("before");
            if is_direct {
                let value = json::read(model(), thing(), bytes).unwrap();
                xml::write_members(model(), names, thing(), &value, &mut expected);
            }
            assert_eq!(out, expected, "{json}");
        }
    }
}

#[test]
fn a_form_is_read_by_the_names_of_the_query_protocol() {
    let form = "Action=Put&Name=abc&Count=-7000000000&Ratio=0.5&Data=AP8K&On=true\
        &When=2026-01-02T03%3A04%3A05Z&Tags.entry.1.key=k+%22%3C%26&Tags.entry.1.value=v%0D%C3%A9\
        &Items.member.2=b&Items.member.1=a&Number.1=1&Number.10=2&Inner.Name=x";
    let form = Form::read(form.as_bytes()).unwrap();
    assert_eq!(query::read(model(), thing(), &form), Ok(example()));
}

#[test]
fn parameters_in_any_order_and_with_odd_names_make_the_same_tree() {
    // Bytes below and above the dot follow the same beginning; the first of two values counts.
    let form = "Items.member.10=j&Items!x=1&Items.member.2=b&Items-y=1&Items0=1&Items.member.1=a\
        &Items.member.1=z&Items.member.10=z&Name=abc&Name=z&Inner.Name=x&Inner=1&Inner.=2&Item=1";
    let form = Form::read(form.as_bytes()).unwrap();
    let expected = Value::structure([
        ("Name", "abc".into()),
        ("Items", Value::List(vec!["a".into(), "b".into(), "j".into()])),
        ("Inner", Value::structure([("Name", "x".into())])),
    ]);
    assert_eq!(query::read(model(), thing(), &form), Ok(expected));
}

#[test]
fn an_input_that_violates_its_model_is_described_as_aws_does() {
    let input = Value::structure([("Inner", Value::structure([("Name", "ABCDEF".into())]))]);
    let error = crate::validate::check(model(), thing(), &input).unwrap_err();
    assert_eq!(error.name(), "ValidationException");
    assert_eq!(
        error.message(),
        "3 validation errors detected: Value null at 'name' failed to satisfy constraint: \
         Member must not be null; Value 'ABCDEF' at 'inner.name' failed to satisfy constraint: \
         Member must satisfy regular expression pattern: [a-z]+; Value 'ABCDEF' at 'inner.name' \
         failed to satisfy constraint: Member must have length less than or equal to 5"
    );
    assert_eq!(crate::validate::check(model(), thing(), &example()), Ok(()));
}

#[test]
fn a_wrong_type_is_a_serialization_error() {
    for body in ["[]", "{\"Name\":1}", "{\"Count\":\"1\"}", "{\"Items\":{}}", "{\"Count\":NaN}"] {
        let error = json::read(model(), thing(), body.as_bytes()).unwrap_err();
        assert_eq!(error.name(), "SerializationException", "{body}");
    }
}

#[test]
fn a_half_of_a_surrogate_pair_is_named_in_both_ways_of_reading() {
    use crate::service::Input;
    let clear = "half of a surrogate pair";
    for name in [r"\ud800", r"\ud800x", r"\ud800\n", r"\uDC00", r"\ud800\u0041", r"a\ud800\ud800"] {
        let body = format!(r#"{{"Name":"{name}"}}"#);
        let shaped = json::read(model(), thing(), body.as_bytes()).unwrap_err();
        let typed = Input::Json(body.as_bytes()).read::<HashMap<String, String>>().unwrap_err();
        for error in [shaped, typed] {
            assert_eq!(error.name(), "SerializationException", "{body}");
            assert!(error.message().contains(clear), "{body}: {}", error.message());
        }
    }
    let whole = br#"{"Name":"\ud83d\ude00"}"#;
    let read = Input::Json(whole).read::<HashMap<String, String>>().unwrap();
    assert_eq!(read["Name"], "\u{1f600}");
    let cut_off = Input::Json(b"{").read::<HashMap<String, String>>().unwrap_err();
    assert!(cut_off.message().starts_with("Could not parse the body: EOF"), "{cut_off:?}");
}

#[test]
fn nesting_is_bounded_in_every_format() {
    let json = format!("{}{}", "{\"Inner\":".repeat(5_000), "{}".to_owned() + &"}".repeat(5_000));
    assert!(json::read(model(), thing(), json.as_bytes()).is_err());
    let mut bytes = b"\xa1\x65Inner".repeat(5_000);
    bytes.push(0xa0);
    assert!(cbor::read(model(), thing(), TimeUnit::Seconds, &bytes).is_err());
    let form = format!("{}Name=x", "Inner.".repeat(5_000));
    let form = Form::read(form.as_bytes()).unwrap();
    assert!(query::read(model(), thing(), &form).is_err());
    let deep = format!("{}{}", "<Inner>".repeat(5_000), "</Inner>".repeat(5_000));
    assert!(xml_read::read(model(), thing(), deep.as_bytes()).is_err());
}

#[test]
fn nonsense_is_an_error_or_a_value_and_never_a_panic() {
    let mut seeds: Vec<Vec<u8>> = vec![Vec::new(), Vec::new()];
    json::write(model(), thing(), &example(), &mut seeds[0]);
    cbor::write(model(), thing(), TimeUnit::Seconds, &example(), &mut seeds[1]);
    seeds.push(b"<a><Name b='c'>x&amp;y&#10;</Name><!-- - --><![CDATA[<]]></a>".to_vec());
    seeds.push(b"Action=Put&Items.member.1=%zz&Tags.entry.1.key=a&a.b.c=&&=&Number.x=1".to_vec());
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    for round in 0..20_000 {
        let mut bytes = seeds[round % seeds.len()].clone();
        for _ in 0..1 + round % 4 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let place = state as usize % bytes.len();
            match state >> 32 & 3 {
                0 => bytes.truncate(place.max(1)),
                1 => bytes[place] = (state >> 40) as u8,
                2 => bytes[place] ^= 1 << (state >> 40 & 7),
                _ => bytes.insert(place, (state >> 48) as u8),
            }
        }
        let read = json::read(model(), thing(), &bytes);
        if let Ok(value) = read {
            let mut out = Vec::new();
            json::write(model(), thing(), &value, &mut out);
            assert_eq!(json::read(model(), thing(), &out), Ok(value));
        }
        // The others only have to come back.
        let _ = cbor::read(model(), thing(), TimeUnit::Millis, &bytes);
        let _ = xml_read::read(model(), thing(), &bytes);
        let _ = Form::read(&bytes).map(|form| query::read(model(), thing(), &form));
        let _ = super::event::Message::read(&bytes);
    }
}

//! Columns of the members of JSON objects: what a query over records reads of them, and no more.
//!
//! Types are those that pyarrow infers: integers of 64 bits, floats, truth values, text, and null
//! for a member that is nowhere else. What has no one such type (an object, an array, two types in
//! one column) is refused, and the caller takes a reader that knows all of JSON.

use std::ffi::CString;
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::builder::{Builder, NotColumns};
use crate::table::Field;

/// Collects the wanted members of objects, a row each.
///
/// ```
/// use trunkline_arrow::ObjectColumns;
///
/// let mut columns = ObjectColumns::new(["page", "at"]);
/// columns.push(br#"{"at": 5, "Page": "home", "user": {"id": 7}}"#).expect("it has a place");
/// let fields = columns.finish();
/// assert_eq!(*fields[0].name, *c"Page");
/// ```
pub struct ObjectColumns {
    wanted: Vec<Wanted>,
    rows: usize,
}

/// A member that is wanted, and its column.
struct Wanted {
    name: String,
    /// The member as the data spells it, once one was found.
    spelling: Option<String>,
    values: Builder,
}

impl ObjectColumns {
    /// Columns of these members. As in SQL, ASCII letters of both cases are the same.
    pub fn new<T: Into<String>>(names: impl IntoIterator<Item = T>) -> Self {
        let wanted =
            |name: T| Wanted { name: name.into(), spelling: None, values: Builder::default() };
        Self { wanted: names.into_iter().map(wanted).collect(), rows: 0 }
    }

    /// Adds the row of an object.
    ///
    /// # Errors
    /// [`NotColumns`] if the text is no JSON object, or if a wanted member is there twice, under
    /// two spellings, or with a value that its column cannot take. The columns are of no use then.
    pub fn push(&mut self, object: &[u8]) -> Result<(), NotColumns> {
        // Strings that are skipped would not be checked.
        let text = std::str::from_utf8(object).map_err(|_| NotColumns)?;
        let mut reader = serde_json::Deserializer::from_str(text);
        Row(self).deserialize(&mut reader).map_err(|_| NotColumns)?;
        reader.end().map_err(|_| NotColumns)?;
        self.rows += 1;
        for wanted in &mut self.wanted {
            wanted.values.fill(self.rows);
        }
        Ok(())
    }

    /// The columns of the members that some object had.
    pub fn finish(self) -> Vec<Field> {
        let named = self.wanted.into_iter().filter_map(|wanted| {
            let name = CString::new(wanted.spelling?).ok()?;
            let (column, validity) = wanted.values.finish();
            Some(Field { name: name.into(), column, validity })
        });
        named.collect()
    }

    /// The column of a member; none if it is not wanted.
    fn column(&mut self, member: &str) -> Result<Option<&mut Builder>, NotColumns> {
        let rows = self.rows;
        let found = self.wanted.iter_mut().find(|one| one.name.eq_ignore_ascii_case(member));
        let Some(wanted) = found else { return Ok(None) };
        match &wanted.spelling {
            Some(spelling) if spelling != member => return Err(NotColumns),
            Some(_) => {}
            None => wanted.spelling = Some(member.to_owned()),
        }
        let is_twice = wanted.values.len() > rows;
        if is_twice { Err(NotColumns) } else { Ok(Some(&mut wanted.values)) }
    }
}

/// Reads one object into the columns.
struct Row<'a>(&'a mut ObjectColumns);

impl<'de> DeserializeSeed<'de> for Row<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Row<'_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(member) = members.next_key_seed(Name(self.0))? {
            match member {
                Some(column) => {
                    let value: &RawValue = members.next_value()?;
                    column.push(value.get()).map_err(|NotColumns| de::Error::custom("a value"))?;
                }
                None => {
                    members.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// Reads the name of a member and finds its column, without a copy of the name.
struct Name<'a>(&'a mut ObjectColumns);

impl<'a, 'de> DeserializeSeed<'de> for Name<'a> {
    type Value = Option<&'a mut Builder>;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_str(self)
    }
}

impl<'a> Visitor<'_> for Name<'a> {
    type Value = Option<&'a mut Builder>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("the name of a member")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Self::Value, E> {
        self.0.column(name).map_err(|NotColumns| E::custom("a member that is there twice"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Column;

    fn columns(names: &[&str], objects: &[&str]) -> Result<Vec<Field>, NotColumns> {
        let mut columns = ObjectColumns::new(names.iter().copied());
        for object in objects {
            columns.push(object.as_bytes())?;
        }
        Ok(columns.finish())
    }

    fn one(objects: &[&str]) -> Field {
        let mut fields = columns(&["a"], objects).expect("they have one type");
        assert_eq!(fields.len(), 1);
        fields.remove(0)
    }

    #[test]
    fn a_column_has_the_type_of_its_values() {
        let field = one(&[r#"{"a": 1}"#, r#"{"b": [1, {"a": "x"}]}"#, r#"{"a": -7, "c": null}"#]);
        assert!(matches!(&field.column, Column::Integers(values) if **values == [1, 0, -7]));
        let validity = field.validity.expect("it may have nulls");
        assert_eq!((&validity.bits[..], validity.nulls), (&[0b101][..], 1));
        let field = one(&[r#"{"a": 3}"#, r#"{"a": 99999999999999999999}"#, r#"{"a": 0.5e1}"#]);
        assert!(matches!(&field.column, Column::Floats(values) if **values == [3.0, 1e20, 5.0]));
        let field = one(&["{}", r#"{"a": true}"#, r#"{"a": false}"#]);
        assert!(matches!(&field.column, Column::Truths { bits, rows: 3 } if **bits == [0b010]));
        let field = one(&[r#"{"a": null}"#, "{}"]);
        assert!(matches!(&field.column, Column::Nulls(2)));
        let field = one(&["{}", r#"{"a": "\u00fc\n"}"#, r#"{"a": "ü"}"#]);
        let Column::Text { offsets, bytes } = &field.column else { panic!("it is text") };
        assert_eq!((&offsets[..], &bytes[..]), (&[0, 0, 3, 5][..], "ü\nü".as_bytes()));
    }

    #[test]
    fn letters_of_both_cases_are_the_same_but_not_in_one_column() {
        let fields = columns(&["AT"], &[r#"{"at": 1}"#, r#"{"at": 2}"#]).expect("it is one column");
        assert_eq!(*fields[0].name, *c"at");
        for objects in [[r#"{"a": 1}"#, r#"{"A": 1}"#], [r#"{"a": 1, "A": 1}"#, "{}"]] {
            assert_eq!(columns(&["a"], &objects).err(), Some(NotColumns));
        }
        assert!(columns(&["none"], &[r#"{"a": 1}"#]).expect("it is no column").is_empty());
    }

    #[test]
    fn what_has_no_place_in_a_column_is_refused() {
        for second in ["1.5", "true", "\"x\"", "{}", "[]", "1e999", "NaN", "01", "\"\\ud800\""] {
            let second = format!(r#"{{"a": {second}}}"#);
            let first = if second.contains("1.5") { r#"{"a": "x"}"# } else { r#"{"a": 1}"# };
            assert_eq!(columns(&["a"], &[first, &second]).err(), Some(NotColumns), "{second}");
        }
        let invalid: [&[u8]; 7] = [
            b"",
            b"[]",
            b"{} {}",
            b"{\"b\": [}",
            b"{\"b\": \"\xff\"}",
            b"{\"a\": 1, \"a\": 2}",
            b"{\"a\": null, \"a\": null}",
        ];
        for object in invalid {
            assert!(ObjectColumns::new(["a"]).push(object).is_err(), "{object:?}");
        }
    }
}

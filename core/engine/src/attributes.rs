//! Message attributes as one opaque block: the engine carries it, the surfaces read it.
//!
//! ```text
//! block   := count u16 | attribute*
//! attribute := system u8 | name len u16 | name | type len u16 | type | value len u32 | value
//! ```

use trunkline_types::{Code, Error, Result};

/// One attribute of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Its name, unique among the attributes of its kind.
    pub name: String,
    /// `String`, `Number` or `Binary`, with an optional custom suffix behind a dot.
    pub data_type: String,
    /// The value's bytes; UTF-8 for `String` and `Number`.
    pub value: Vec<u8>,
    /// A system attribute (`AWSTraceHeader`): carried, but not counted into the message's size.
    pub system: bool,
}

/// The block for `attributes`; empty for none.
pub fn encode(attributes: &[Attribute]) -> Vec<u8> {
    if attributes.is_empty() {
        return Vec::new();
    }
    const HEAD_BYTES: usize = 9;
    let size =
        |one: &Attribute| HEAD_BYTES + one.name.len() + one.data_type.len() + one.value.len();
    let mut block = Vec::with_capacity(2 + attributes.iter().map(size).sum::<usize>());
    block.extend_from_slice(&(attributes.len() as u16).to_le_bytes());
    for attribute in attributes {
        block.push(u8::from(attribute.system));
        for text in [&attribute.name, &attribute.data_type] {
            block.extend_from_slice(&(text.len() as u16).to_le_bytes());
            block.extend_from_slice(text.as_bytes());
        }
        block.extend_from_slice(&(attribute.value.len() as u32).to_le_bytes());
        block.extend_from_slice(&attribute.value);
    }
    block
}

/// The attributes in `block`.
pub fn decode(block: &[u8]) -> Result<Vec<Attribute>> {
    if block.is_empty() {
        return Ok(Vec::new());
    }
    let mut attributes = Vec::new();
    let parsed = parse(block, |one| {
        attributes.push(Attribute {
            name: one.name.to_owned(),
            data_type: one.data_type.to_owned(),
            value: one.value.to_vec(),
            system: one.system,
        });
    });
    parsed.map(|()| attributes).ok_or_else(damaged)
}

/// What the attributes of `block` add to a message's size as SQS counts it: name, type and value.
pub fn size(block: &[u8]) -> Result<usize> {
    let mut size = 0;
    if block.is_empty() {
        return Ok(size);
    }
    let parsed = parse(block, |one| {
        let counted = one.name.len() + one.data_type.len() + one.value.len();
        size += if one.system { 0 } else { counted };
    });
    parsed.map(|()| size).ok_or_else(damaged)
}

#[cold]
fn damaged() -> Error {
    Error::new(Code::CorruptJournal, "The attribute block of a message is damaged.")
}

/// An attribute as it lies in a block.
struct Lying<'a> {
    name: &'a str,
    data_type: &'a str,
    value: &'a [u8],
    system: bool,
}

fn parse<'a>(mut rest: &'a [u8], mut each: impl FnMut(Lying<'a>)) -> Option<()> {
    let count = u16::from_le_bytes(take(&mut rest, 2)?.try_into().ok()?);
    for _ in 0..count {
        let system = take(&mut rest, 1)?[0] != 0;
        let name = take_text(&mut rest)?;
        let data_type = take_text(&mut rest)?;
        let length = u32::from_le_bytes(take(&mut rest, 4)?.try_into().ok()?);
        let value = take(&mut rest, length as usize)?;
        each(Lying { name, data_type, value, system });
    }
    rest.is_empty().then_some(())
}

fn take_text<'a>(rest: &mut &'a [u8]) -> Option<&'a str> {
    let length = u16::from_le_bytes(take(rest, 2)?.try_into().ok()?);
    std::str::from_utf8(take(rest, length as usize)?).ok()
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (head, tail) = rest.split_at_checked(length)?;
    *rest = tail;
    Some(head)
}

/// The system attribute that says which trace a message belongs to.
const TRACE_HEADER: &str = "AWSTraceHeader";

/// What traces a message, if anything does.
pub fn trace_header(block: &[u8]) -> Result<Option<String>> {
    // Most messages have no attributes at all.
    let mut all = decode(block)?.into_iter();
    let found = all.find(|attribute| attribute.system && attribute.name == TRACE_HEADER);
    Ok(found.and_then(|attribute| String::from_utf8(attribute.value).ok()))
}

/// A block of attributes with what traces the message.
pub(crate) fn with_trace_header(block: &[u8], trace_header: &str) -> Result<Vec<u8>> {
    let mut all = decode(block)?;
    all.retain(|attribute| !attribute.system || attribute.name != TRACE_HEADER);
    all.push(Attribute {
        name: TRACE_HEADER.to_owned(),
        data_type: "String".to_owned(),
        value: trace_header.as_bytes().to_vec(),
        system: true,
    });
    Ok(encode(&all))
}

/// A block of attributes with some texts added; an empty text is left out, because no queue takes
/// an attribute without a value.
pub(crate) fn with_texts(block: &[u8], added: &[(&str, String)]) -> Result<Vec<u8>> {
    let mut all = decode(block)?;
    all.retain(|attribute| !added.iter().any(|(name, _)| *name == attribute.name));
    for (name, value) in added.iter().filter(|(_, value)| !value.is_empty()) {
        all.push(Attribute {
            name: (*name).to_owned(),
            data_type: "String".to_owned(),
            value: value.clone().into_bytes(),
            system: false,
        });
    }
    Ok(encode(&all))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(name: &str, system: bool) -> Attribute {
        let (data_type, value) = ("String".to_owned(), b"value".to_vec());
        Attribute { name: name.to_owned(), data_type, value, system }
    }

    #[test]
    fn a_block_gives_back_its_attributes_and_counts_only_user_attributes() {
        let attributes = vec![attribute("kind", false), attribute("AWSTraceHeader", true)];
        let block = encode(&attributes);
        assert_eq!(decode(&block), Ok(attributes));
        assert_eq!(size(&block), Ok("kind".len() + "String".len() + "value".len()));
    }

    #[test]
    fn a_damaged_block_is_an_error() {
        let block = encode(&[attribute("kind", false)]);
        for length in 1..block.len() {
            assert!(decode(&block[..length]).is_err());
        }
    }
}

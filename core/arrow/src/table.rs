//! Columns side by side, all of one length.

use std::borrow::Cow;
use std::ffi::CStr;
use std::sync::Arc;

/// The values of a column. Their buffers are shared, never copied.
#[derive(Debug, Clone)]
pub enum Column {
    /// Text: where each value ends in `bytes`, behind a leading zero.
    Text {
        /// One more than there are values.
        offsets: Arc<Vec<i32>>,
        /// UTF-8.
        bytes: Arc<Vec<u8>>,
    },
    /// Bytes, in the same layout.
    Binary {
        /// One more than there are values.
        offsets: Arc<Vec<i32>>,
        /// The values side by side.
        bytes: Arc<Vec<u8>>,
    },
    /// Times in milliseconds since the epoch, in UTC.
    Time(Arc<Vec<i64>>),
    /// Integers of 64 bits.
    Integers(Arc<Vec<i64>>),
    /// Floats of 64 bits.
    Floats(Arc<Vec<f64>>),
    /// Truth values.
    Truths {
        /// A bit each, the lowest first.
        bits: Arc<Vec<u8>>,
        /// How many there are.
        rows: usize,
    },
    /// So many nulls, without a type.
    Nulls(usize),
}

/// Which values of a column are there.
#[derive(Debug, Clone)]
pub struct Validity {
    /// A bit for each value, the lowest first: whether it is no null.
    pub bits: Arc<Vec<u8>>,
    /// How many nulls there are.
    pub nulls: usize,
}

/// A column with its name.
#[derive(Debug, Clone)]
pub struct Field {
    /// The name.
    pub name: Cow<'static, CStr>,
    /// The values.
    pub column: Column,
    /// Which of them are no nulls; all, if it is not told.
    pub validity: Option<Validity>,
}

impl Field {
    /// A column without nulls.
    pub fn new(name: &'static CStr, column: Column) -> Self {
        Self { name: name.into(), column, validity: None }
    }

    pub(crate) fn is_nullable(&self) -> bool {
        self.validity.is_some() || matches!(self.column, Column::Nulls(_))
    }

    pub(crate) fn null_count(&self) -> usize {
        match (&self.column, &self.validity) {
            (Column::Nulls(rows), _) => *rows,
            (_, validity) => validity.as_ref().map_or(0, |validity| validity.nulls),
        }
    }

    /// The number of values; `None` if the buffers do not fit each other.
    fn rows(&self) -> Option<usize> {
        let rows = self.column.rows()?;
        let fits =
            |validity: &Validity| validity.bits.len() == rows.div_ceil(8) && validity.nulls <= rows;
        self.validity.as_ref().is_none_or(fits).then_some(rows)
    }
}

/// Columns of one length.
#[derive(Debug, Clone)]
pub struct Table {
    rows: usize,
    fields: Vec<Field>,
}

impl Column {
    /// A column of these texts.
    ///
    /// # Panics
    /// If they have more than 2 GiB together.
    pub fn text<T: AsRef<str>>(values: impl IntoIterator<Item = T>) -> Self {
        let (mut offsets, mut bytes) = (vec![0], Vec::new());
        for value in values {
            bytes.extend_from_slice(value.as_ref().as_bytes());
            offsets.push(i32::try_from(bytes.len()).expect("a column has at most 2 GiB"));
        }
        Self::Text { offsets: Arc::new(offsets), bytes: Arc::new(bytes) }
    }

    /// A column of `count` texts of about `each` bytes, which `write` appends one by one.
    ///
    /// # Panics
    /// If they have more than 2 GiB together.
    pub fn written(count: usize, each: usize, mut write: impl FnMut(usize, &mut String)) -> Self {
        let mut offsets = Vec::with_capacity(count + 1);
        offsets.push(0);
        let mut text = String::with_capacity(count * each);
        for place in 0..count {
            write(place, &mut text);
            offsets.push(i32::try_from(text.len()).expect("a column has at most 2 GiB"));
        }
        Self::Text { offsets: Arc::new(offsets), bytes: Arc::new(text.into_bytes()) }
    }

    /// The number of values; `None` if the offsets do not fit the bytes.
    fn rows(&self) -> Option<usize> {
        match self {
            Self::Time(values) | Self::Integers(values) => Some(values.len()),
            Self::Floats(values) => Some(values.len()),
            Self::Truths { bits, rows } => (bits.len() == rows.div_ceil(8)).then_some(*rows),
            Self::Nulls(rows) => Some(*rows),
            Self::Text { offsets, bytes } | Self::Binary { offsets, bytes } => {
                let fits = offsets.first() == Some(&0)
                    && offsets.is_sorted()
                    && offsets.last().map(|end| *end as usize) == Some(bytes.len());
                fits.then(|| offsets.len() - 1)
            }
        }
    }

    fn is_valid(&self) -> bool {
        let Self::Text { offsets, bytes } = self else { return true };
        let Ok(text) = std::str::from_utf8(bytes) else { return false };
        offsets.iter().all(|offset| text.is_char_boundary(*offset as usize))
    }
}

impl Table {
    /// A table of these columns; `None` if their lengths differ, or the buffers of one do not fit
    /// together.
    pub fn new(fields: Vec<Field>) -> Option<Self> {
        let mut rows = fields.iter().map(Field::rows);
        let first = rows.next().unwrap_or(Some(0))?;
        let is_whole = rows.all(|rows| rows == Some(first));
        let is_valid = fields.iter().all(|field| field.column.is_valid());
        (is_whole && is_valid).then_some(Self { rows: first, fields })
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.rows
    }

    pub(crate) fn fields(&self) -> &[Field] {
        &self.fields
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(columns: Vec<Column>) -> Option<Table> {
        Table::new(columns.into_iter().map(|column| Field::new(c"name", column)).collect())
    }

    #[test]
    fn columns_have_one_length_and_buffers_that_fit() {
        let binary = |offsets: &[i32], bytes: &[u8]| Column::Binary {
            offsets: Arc::new(offsets.to_vec()),
            bytes: Arc::new(bytes.to_vec()),
        };
        let times = |count| Column::Time(Arc::new(vec![7; count]));
        let whole = table(vec![Column::text(["a", "bc"]), binary(&[0, 1, 1], b"x"), times(2)]);
        assert_eq!(whole.expect("it is whole").rows(), 2);
        assert_eq!(table(Vec::new()).expect("it is empty").rows(), 0);
        assert!(table(vec![times(2), times(3)]).is_none());
        for offsets in [&[][..], &[1, 1], &[0, 2], &[0, 2, 1], &[0, -1, 1]] {
            assert!(table(vec![binary(offsets, b"x")]).is_none(), "{offsets:?}");
        }
        let text = |offsets: &[i32], bytes: &[u8]| Column::Text {
            offsets: Arc::new(offsets.to_vec()),
            bytes: Arc::new(bytes.to_vec()),
        };
        assert!(table(vec![text(&[0, 2], "ü".as_bytes())]).is_some());
        assert!(table(vec![text(&[0, 1, 2], "ü".as_bytes())]).is_none());
        assert!(table(vec![text(&[0, 1], b"\xff")]).is_none());
    }
}

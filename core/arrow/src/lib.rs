//! Tables of columns in memory, handed to other programs through the Arrow C stream interface.
//!
//! Only what a batch of a stream needs: columns of text, bytes and times, and of the members of
//! JSON objects. The consumer reads the buffers where they are; they live until it releases them.
//!
//! ```
//! use trunkline_arrow::{Column, Field, Table};
//!
//! let key = Column::text(["user-1", "user-2"]);
//! let table = Table::new(vec![Field::new(c"key", key)]).expect("one length");
//! assert_eq!(table.rows(), 2);
//! let stream = table.into_stream();
//! # let _ = stream;
//! ```

mod abi;
mod builder;
mod export;
mod objects;
mod table;

pub use abi::ArrowArrayStream;
pub use builder::NotColumns;
pub use objects::ObjectColumns;
pub use table::{Column, Field, Table, Validity};

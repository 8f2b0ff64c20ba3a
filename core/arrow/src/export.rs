//! Handing a table out: the only unsafe code of the crate.
//!
//! Each structure that is handed out owns what its pointers point into, through `private_data`, a
//! box that its `release` takes back. Columns are shared with the table, so a consumer may keep
//! them for as long as it likes, on any thread.
#![allow(unsafe_code)]

use std::borrow::Cow;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr::{null, null_mut};

use crate::abi::{ArrowArray, ArrowArrayStream, ArrowSchema};
use crate::table::{Column, Field, Table};

/// What a stream owns.
struct StreamState {
    table: Table,
    is_read: bool,
}

/// What a schema owns.
struct SchemaState {
    name: Cow<'static, CStr>,
    children: Vec<*mut ArrowSchema>,
}

/// What an array owns. The column is only kept alive.
struct ArrayState {
    buffers: Vec<*const c_void>,
    children: Vec<*mut ArrowArray>,
    _column: Option<Field>,
}

impl Table {
    /// The table as a stream of one batch.
    pub fn into_stream(self) -> ArrowArrayStream {
        let state = Box::new(StreamState { table: self, is_read: false });
        ArrowArrayStream {
            get_schema: Some(get_schema),
            get_next: Some(get_next),
            get_last_error: Some(get_last_error),
            release: Some(release_stream),
            private_data: Box::into_raw(state).cast(),
        }
    }
}

impl Drop for ArrowArrayStream {
    fn drop(&mut self) {
        if let Some(release) = self.release {
            // SAFETY: a stream that was not released is whole, and `release` clears itself.
            unsafe { release(self) }
        }
    }
}

// SAFETY: what the pointers reach is owned by the stream, and has no tie to a thread.
unsafe impl Send for ArrowArrayStream {}

/// Whether a column may have nulls, as the flags of a schema say it.
const NULLABLE: i64 = 2;

fn schema(format: &'static CStr, name: Cow<'static, CStr>, fields: &[Field]) -> ArrowSchema {
    let child = |field: &Field| {
        let format = match &field.column {
            Column::Text { .. } => c"u",
            Column::Binary { .. } => c"z",
            Column::Time(_) => c"tsm:UTC",
            Column::Integers(_) => c"l",
            Column::Floats(_) => c"g",
            Column::Truths { .. } => c"b",
            Column::Nulls(_) => c"n",
        };
        let mut child = schema(format, field.name.clone(), &[]);
        child.flags = if field.is_nullable() { NULLABLE } else { 0 };
        Box::into_raw(Box::new(child))
    };
    let children = fields.iter().map(child).collect();
    let mut state = Box::new(SchemaState { name, children });
    ArrowSchema {
        format: format.as_ptr(),
        name: state.name.as_ptr(),
        metadata: null(),
        flags: 0,
        n_children: state.children.len() as i64,
        children: state.children.as_mut_ptr(),
        dictionary: null_mut(),
        release: Some(release_schema),
        private_data: Box::into_raw(state).cast(),
    }
}

fn array(rows: usize, buffers: Vec<*const c_void>, owner: Owner<'_>) -> ArrowArray {
    let (children, column) = match owner {
        Owner::Column(field) => (Vec::new(), Some(field)),
        Owner::Table(table) => {
            let child = |field: &Field| Box::into_raw(Box::new(column_array(rows, field)));
            (table.fields().iter().map(child).collect(), None)
        }
    };
    let null_count = column.as_ref().map_or(0, |field| field.null_count()) as i64;
    let mut state = Box::new(ArrayState { buffers, children, _column: column });
    ArrowArray {
        length: rows as i64,
        null_count,
        offset: 0,
        n_buffers: state.buffers.len() as i64,
        n_children: state.children.len() as i64,
        buffers: state.buffers.as_mut_ptr(),
        children: state.children.as_mut_ptr(),
        dictionary: null_mut(),
        release: Some(release_array),
        private_data: Box::into_raw(state).cast(),
    }
}

enum Owner<'a> {
    Column(Field),
    Table(&'a Table),
}

/// The first buffer of an array says which values are null; it may be missing if none is.
fn column_array(rows: usize, field: &Field) -> ArrowArray {
    let valid = field.validity.as_ref().map_or(null(), |validity| validity.bits.as_ptr().cast());
    let buffers = match &field.column {
        Column::Text { offsets, bytes } | Column::Binary { offsets, bytes } => {
            vec![valid, offsets.as_ptr().cast(), bytes.as_ptr().cast()]
        }
        Column::Time(values) | Column::Integers(values) => vec![valid, values.as_ptr().cast()],
        Column::Floats(values) => vec![valid, values.as_ptr().cast()],
        Column::Truths { bits, .. } => vec![valid, bits.as_ptr().cast()],
        Column::Nulls(_) => Vec::new(),
    };
    array(rows, buffers, Owner::Column(field.clone()))
}

/// # Safety
/// `stream` is a stream of this module that was not released, `out` points to writable memory.
unsafe extern "C" fn get_schema(stream: *mut ArrowArrayStream, out: *mut ArrowSchema) -> c_int {
    // SAFETY: as the caller promises; a consumer calls one function of a stream at a time.
    unsafe {
        let state = &*(*stream).private_data.cast::<StreamState>();
        out.write(schema(c"+s", c"".into(), state.table.fields()));
    }
    0
}

/// # Safety
/// As of [`get_schema`].
unsafe extern "C" fn get_next(stream: *mut ArrowArrayStream, out: *mut ArrowArray) -> c_int {
    // SAFETY: as the caller promises; a consumer calls one function of a stream at a time.
    unsafe {
        let state = &mut *(*stream).private_data.cast::<StreamState>();
        if std::mem::replace(&mut state.is_read, true) {
            // The end of a stream is an array that is released already.
            out.write(std::mem::zeroed());
        } else {
            let table = &state.table;
            out.write(array(table.rows(), vec![null()], Owner::Table(table)));
        }
    }
    0
}

/// # Safety
/// None: nothing of a stream fails.
unsafe extern "C" fn get_last_error(_: *mut ArrowArrayStream) -> *const c_char {
    null()
}

/// # Safety
/// `stream` is a stream of this module that was not released.
unsafe extern "C" fn release_stream(stream: *mut ArrowArrayStream) {
    // SAFETY: `private_data` is the box of `into_stream`, taken back once: `release` is cleared.
    unsafe {
        drop(Box::from_raw((*stream).private_data.cast::<StreamState>()));
        (*stream).private_data = null_mut();
        (*stream).release = None;
    }
}

/// # Safety
/// `released` is a schema of this module that was not released.
unsafe extern "C" fn release_schema(released: *mut ArrowSchema) {
    // SAFETY: `private_data` and the children are boxes of `schema`, each taken back once: a child
    // that the consumer has moved out has no `release` any more, and its box is freed alone.
    unsafe {
        let state = Box::from_raw((*released).private_data.cast::<SchemaState>());
        for child in state.children {
            if let Some(release) = (*child).release {
                release(child);
            }
            drop(Box::from_raw(child));
        }
        (*released).release = None;
    }
}

/// # Safety
/// `released` is an array of this module that was not released.
unsafe extern "C" fn release_array(released: *mut ArrowArray) {
    // SAFETY: as in `release_schema`.
    unsafe {
        let state = Box::from_raw((*released).private_data.cast::<ArrayState>());
        for child in &state.children {
            if let Some(release) = (**child).release {
                release(*child);
            }
            drop(Box::from_raw(*child));
        }
        (*released).release = None;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn table() -> Table {
        let data = Column::Binary {
            offsets: Arc::new(vec![0, 3, 3]),
            bytes: Arc::new(b"\x00\x01\x02".to_vec()),
        };
        let fields = vec![
            Field::new(c"key", Column::text(["user-1", "ü"])),
            Field::new(c"data", data),
            Field::new(c"timestamp", Column::Time(Arc::new(vec![5, -6]))),
        ];
        Table::new(fields).expect("it is whole")
    }

    /// Reads a batch as a consumer does: through the functions and pointers of the interface.
    unsafe fn read(stream: &mut ArrowArrayStream) -> (ArrowSchema, Option<ArrowArray>) {
        // SAFETY: the memory is written by the calls, and each structure is released by the test.
        unsafe {
            let (mut schema, mut array) = (std::mem::zeroed(), std::mem::zeroed::<ArrowArray>());
            assert_eq!(stream.get_schema.expect("it is there")(stream, &mut schema), 0);
            assert_eq!(stream.get_next.expect("it is there")(stream, &mut array), 0);
            assert!(stream.get_last_error.expect("it is there")(stream).is_null());
            let array = array.release.is_some().then_some(array);
            (schema, array)
        }
    }

    unsafe fn values<'a, T>(array: &ArrowArray, buffer: usize, count: usize) -> &'a [T] {
        // SAFETY: the test asks for no more than the array has.
        unsafe { std::slice::from_raw_parts((*array.buffers.add(buffer)).cast(), count) }
    }

    #[test]
    fn a_consumer_reads_every_value_and_releases_everything() {
        let mut stream = table().into_stream();
        // SAFETY: the structures are whole until they are released, each once.
        unsafe {
            let (mut schema, array) = read(&mut stream);
            let mut array = array.expect("there is a batch");
            let (second, end) = read(&mut stream);
            assert!(end.is_none(), "there is one batch");
            drop(stream);
            assert_eq!(CStr::from_ptr(schema.format), c"+s");
            let types: Vec<_> = (0..3)
                .map(|index| {
                    let child = &**schema.children.add(index);
                    (CStr::from_ptr(child.name), CStr::from_ptr(child.format))
                })
                .collect();
            assert_eq!(types, [(c"key", c"u"), (c"data", c"z"), (c"timestamp", c"tsm:UTC")]);
            assert_eq!((array.length, array.n_children, array.n_buffers), (2, 3, 1));
            let child = |index| &**array.children.add(index);
            assert_eq!(values::<i32>(child(0), 1, 3), [0, 6, 8]);
            assert_eq!(values::<u8>(child(0), 2, 8), "user-1ü".as_bytes());
            assert_eq!(values::<u8>(child(1), 2, 3), [0, 1, 2]);
            assert_eq!(values::<i64>(child(2), 1, 2), [5, -6]);
            // A consumer may move a child out, and release it after its parent.
            let mut moved = std::ptr::read(child(0));
            (**array.children).release = None;
            array.release.expect("it is there")(&mut array);
            assert_eq!(values::<i32>(&moved, 1, 3), [0, 6, 8]);
            moved.release.expect("it is there")(&mut moved);
            for schema in [&mut schema, &mut { second }] {
                schema.release.expect("it is there")(schema);
                assert!(schema.release.is_none());
            }
        }
    }

    #[test]
    fn a_stream_that_is_not_read_is_released() {
        let bytes = Arc::new(vec![1u8]);
        let column = Column::Binary { offsets: Arc::new(vec![0, 1]), bytes: bytes.clone() };
        let table = Table::new(vec![Field::new(c"data", column)]).expect("it is whole");
        let stream = table.into_stream();
        assert_eq!(Arc::strong_count(&bytes), 2);
        std::thread::spawn(move || drop(stream)).join().expect("it is dropped");
        assert_eq!(Arc::strong_count(&bytes), 1);
    }
}

//! Rust types as C99 writes them. Only what the sources use; anything else is a mistake to be seen.

use syn::{Expr, GenericArgument, Lit, PathArguments, PointerMutability, Type};

/// `name` declared with the C type of `ty`.
pub fn declare(ty: &Type, name: &str) -> String {
    if let Type::Array(array) = ty {
        return format!("{}[{}]", declare(&array.elem, name), length(&array.len));
    }
    join(&c_type(ty), name)
}

/// A C type and what it is the type of.
pub fn join(c_type: &str, name: &str) -> String {
    let gap = if c_type.ends_with('*') { "" } else { " " };
    format!("{c_type}{gap}{name}")
}

/// The C name of a Rust type of ours: `OpenOptions` is `trunkline_open_options`.
pub fn type_name(name: &str) -> String {
    let mut c_name = "trunkline".to_owned();
    for letter in name.trim_end_matches("Handle").chars() {
        if letter.is_ascii_uppercase() {
            c_name.push('_');
        }
        c_name.push(letter.to_ascii_lowercase());
    }
    c_name
}

/// The C type of a Rust type.
pub fn c_type(ty: &Type) -> String {
    match ty {
        Type::Ptr(pointer) => {
            let inner = c_type(&pointer.elem);
            pointer_to(&inner, matches!(pointer.mutability, PointerMutability::Const(_)))
        }
        Type::Path(path) => {
            let last = path.path.segments.last().expect("a path has a segment");
            named(&last.ident.to_string(), &last.arguments)
        }
        other => panic!("no C type for {other:?}"),
    }
}

fn named(name: &str, arguments: &PathArguments) -> String {
    match name {
        "c_char" => "char".to_owned(),
        "c_void" => "void".to_owned(),
        "i32" => "int32_t".to_owned(),
        "i64" => "int64_t".to_owned(),
        "u64" => "uint64_t".to_owned(),
        "usize" => "size_t".to_owned(),
        "Text" => "const char *".to_owned(),
        "Bytes" => "const void *".to_owned(),
        "In" | "Maybe" => pointer_to(&argument(arguments), true),
        "Out" => pointer_to(&argument(arguments), false),
        handle if handle.ends_with("Handle") => format!("{} *", type_name(handle)),
        ours => type_name(ours),
    }
}

fn argument(arguments: &PathArguments) -> String {
    let PathArguments::AngleBracketed(list) = arguments else { panic!("a type is missing") };
    match list.args.first() {
        Some(GenericArgument::Type(ty)) => c_type(ty),
        other => panic!("no C type for {other:?}"),
    }
}

fn pointer_to(inner: &str, constant: bool) -> String {
    match (inner.ends_with('*'), constant) {
        (true, true) => format!("{inner}const *"),
        (true, false) => format!("{inner}*"),
        (false, true) => format!("const {inner} *"),
        (false, false) => format!("{inner} *"),
    }
}

fn length(length: &Expr) -> String {
    match length {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Int(number) => number.base10_digits().to_owned(),
            other => panic!("no length: {other:?}"),
        },
        other => panic!("no length: {other:?}"),
    }
}

//! Reads the sources and writes the header: handles, constants, enums, structs, functions, and the
//! macros that set structs to "nothing given".

use std::path::Path;

use syn::{
    Attribute, Expr, Fields, FnArg, Item, ItemConst, ItemEnum, ItemFn, ItemStruct, Lit, Meta, Pat,
    ReturnType, Type,
};

use crate::declare::{c_type, declare, join, type_name};

/// The sources in the order in which a reader of the header wants them.
const SOURCES: &[&str] = &[
    "handle.rs",
    "status.rs",
    "options.rs",
    "messages.rs",
    "engine.rs",
    "queue.rs",
    "faults.rs",
    "receive.rs",
    "topic.rs",
    "bus.rs",
    "records.rs",
    "stream.rs",
    "failure.rs",
];
const COLUMNS_MAX: usize = 100;

const INTRODUCTION: &str = "\
/*
 * Trunkline: queues, topics, event buses and streams with the semantics of Amazon SQS, SNS,
 * EventBridge and Kinesis, in this process, durable on this disk.
 *
 * Generated from core/capi/src; do not edit. C99 and C++.
 *
 * Every function may be called from any thread, on the same handles. Texts are UTF-8 with a closing
 * NUL. Times are in milliseconds. A function that can fail returns a trunkline_status; then
 * trunkline_last_error_message, called on the same thread, tells in words what went wrong. Handles
 * that were given back, and NULL where a value is required, are refused with an error.
 *
 * Structs that you fill in start from their INIT macro, which sets every field to \"not given\":
 * TRUNKLINE_UNSET for numbers, NULL for pointers. Later versions add fields at the end; a program
 * that was compiled with an older header keeps working.
 */
";

#[derive(Default)]
struct Header {
    handles: String,
    values: String,
    structs: String,
    functions: String,
    macros: String,
}

/// The header of the sources in `folder`.
pub fn header(folder: &Path) -> String {
    let mut header = Header::default();
    for name in SOURCES {
        let source = std::fs::read_to_string(folder.join(name)).expect("the source is there");
        let file = syn::parse_file(&source).expect("the source is Rust");
        file.items.iter().for_each(|item| header.add(item));
    }
    let Header { handles, values, structs, functions, macros } = header;
    format!(
        "{INTRODUCTION}#ifndef TRUNKLINE_H\n#define TRUNKLINE_H\n\n#include <stddef.h>\n\
         #include <stdint.h>\n\n#ifdef __cplusplus\nextern \"C\" {{\n#endif\n\n\
         /* --- declarations --- */\n\n{handles}{values}{structs}{functions}\
         /* --- end of declarations --- */\n\n{macros}\
         #ifdef __cplusplus\n}}\n#endif\n\n#endif\n"
    )
}

impl Header {
    fn add(&mut self, item: &Item) {
        match item {
            Item::Const(item) if is_public(&item.vis) => self.add_const(item),
            Item::Enum(item) if is_public(&item.vis) => self.add_enum(item),
            Item::Struct(item) if item.ident.to_string().ends_with("Handle") => {
                let name = type_name(&item.ident.to_string());
                let comment = comment(&item.attrs, "");
                self.handles += &format!("{comment}typedef struct {name} {name};\n\n");
            }
            Item::Struct(item) if is_public(&item.vis) => self.add_struct(item),
            Item::Fn(item) if item.sig.abi.is_some() => self.add_function(item),
            Item::Macro(item) if item.ident.is_none() && item.mac.path.is_ident("statuses") => {
                self.add_enum(&item.mac.parse_body().expect("an enum"));
            }
            _ => {}
        }
    }

    fn add_const(&mut self, item: &ItemConst) {
        let comment = comment(&item.attrs, "");
        let Expr::Unary(unary) = &*item.expr else { panic!("only a negative number is needed") };
        let number = number(&unary.expr);
        self.values += &format!("{comment}enum {{ TRUNKLINE_{} = -{number} }};\n\n", item.ident);
    }

    fn add_enum(&mut self, item: &ItemEnum) {
        let c_name = type_name(&item.ident.to_string());
        // The names of states stand for themselves; those of choices name the choice first.
        let prefix = match item.ident.to_string().as_str() {
            "Status" => "TRUNKLINE".to_owned(),
            _ => c_name.to_uppercase(),
        };
        self.values += &format!("{}typedef enum {c_name} {{\n", comment(&item.attrs, ""));
        for variant in &item.variants {
            let word = type_name(&variant.ident.to_string()).to_uppercase();
            let word = word.trim_start_matches("TRUNKLINE");
            let (_, value) = variant.discriminant.as_ref().expect("every value is written out");
            let comment = comment(&variant.attrs, "    ");
            self.values += &format!("{comment}    {prefix}{word} = {},\n", signed(value));
        }
        let last = self.values.rfind(',').expect("there is a value");
        self.values.remove(last);
        self.values += &format!("}} {c_name};\n\n");
    }

    fn add_struct(&mut self, item: &ItemStruct) {
        let c_name = type_name(&item.ident.to_string());
        let Fields::Named(fields) = &item.fields else { panic!("{c_name} has fields") };
        self.structs += &format!("{}typedef struct {c_name} {{\n", comment(&item.attrs, ""));
        let mut unset = Vec::new();
        for field in &fields.named {
            let name = field.ident.as_ref().expect("the field has a name").to_string();
            let comment = comment(&field.attrs, "    ");
            self.structs += &format!("{comment}    {};\n", declare(&field.ty, &name));
            // Only structs that say their size are filled in by the caller.
            if name == "size" {
                unset.push(format!("sizeof({c_name})"));
            } else if !unset.is_empty() {
                unset.push(unset_value(&field.ty));
            }
        }
        self.structs += &format!("}} {c_name};\n\n");
        if !unset.is_empty() {
            let (name, values) = (c_name.to_uppercase(), unset.join(", \\\n     "));
            self.macros += &format!("#define {name}_INIT \\\n    {{{values}}}\n\n");
        }
    }

    fn add_function(&mut self, item: &ItemFn) {
        let name = item.sig.ident.to_string();
        assert!(name.starts_with("trunkline_"), "{name} has the prefix");
        let result = match &item.sig.output {
            ReturnType::Default => "void".to_owned(),
            ReturnType::Type(_, ty) => c_type(ty),
        };
        let arguments: Vec<String> = item.sig.inputs.iter().map(argument).collect();
        let start = join(&result, &name);
        let void = if arguments.is_empty() { "void" } else { "" };
        let one = format!("{start}({}{void});", arguments.join(", "));
        let declaration = if one.len() <= COLUMNS_MAX {
            one
        } else {
            format!("{start}(\n    {});", arguments.join(",\n    "))
        };
        self.functions += &format!("{}{declaration}\n\n", comment(&item.attrs, ""));
    }
}

fn argument(argument: &FnArg) -> String {
    let FnArg::Typed(argument) = argument else { panic!("a function has no self") };
    let Pat::Ident(name) = &*argument.pat else { panic!("an argument has a name") };
    declare(&argument.ty, &name.ident.to_string())
}

fn unset_value(ty: &Type) -> String {
    if matches!(ty, Type::Array(_)) {
        return "{0}".to_owned();
    }
    match c_type(ty).as_str() {
        "int64_t" => "TRUNKLINE_UNSET".to_owned(),
        "uint64_t" => "0".to_owned(),
        pointer if pointer.ends_with('*') => "NULL".to_owned(),
        other => panic!("no unset value of {other}"),
    }
}

/// The documentation of an item as a C comment; an item without one is a mistake.
fn comment(attributes: &[Attribute], indent: &str) -> String {
    let lines: Vec<String> = attributes.iter().filter_map(doc_line).collect();
    assert!(!lines.is_empty(), "everything in the header is documented");
    let text = lines.join(" ");
    if indent.len() + text.len() + "/*  */".len() <= COLUMNS_MAX {
        return format!("{indent}/* {text} */\n");
    }
    let start = format!("{indent} *");
    let mut comment = format!("{indent}/*\n{start}");
    let mut width = start.len();
    for word in text.split(' ') {
        if width + 1 + word.len() > COLUMNS_MAX {
            comment += &format!("\n{start}");
            width = start.len();
        }
        comment += &format!(" {word}");
        width += 1 + word.len();
    }
    format!("{comment}\n{indent} */\n")
}

fn doc_line(attribute: &Attribute) -> Option<String> {
    let Meta::NameValue(pair) = &attribute.meta else { return None };
    let Expr::Lit(literal) = &pair.value else { return None };
    match &literal.lit {
        Lit::Str(text) if pair.path.is_ident("doc") => Some(text.value().trim().to_owned()),
        _ => None,
    }
}

fn is_public(visibility: &syn::Visibility) -> bool {
    matches!(visibility, syn::Visibility::Public(_))
}

fn signed(value: &Expr) -> String {
    match value {
        Expr::Unary(unary) => format!("-{}", number(&unary.expr)),
        other => number(other),
    }
}

fn number(value: &Expr) -> String {
    match value {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Int(number) => number.base10_digits().to_owned(),
            other => panic!("no number: {other:?}"),
        },
        other => panic!("no number: {other:?}"),
    }
}

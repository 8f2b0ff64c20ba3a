//! Bounds on what an expression may build. The library bounds time, depth and the length of
//! sequences; a string or a nested array that doubles at every step stays within all three. So the
//! tree of an expression gets checks at the places where values grow.

use jsonata_core::ast::{AstNode, BinaryOp, PathStep};
use jsonata_core::evaluator::{Evaluator, EvaluatorError};
use jsonata_core::value::JValue;

/// Functions that return their first argument if what is made of it is small enough.
const BOUNDED: &str = "__bounded";
const JOINED: &str = "__joined";
const REPLACED: &str = "__replaced";

/// The functions of JSONata and of AWS.
#[rustfmt::skip]
const BUILT_IN: [&str; 67] = [
    "abs", "append", "assert", "average", "base64decode", "base64encode", "boolean", "ceil",
    "clone", "contains", "count", "decodeUrl", "decodeUrlComponent", "distinct", "each",
    "encodeUrl", "encodeUrlComponent", "error", "eval", "exists", "filter", "floor",
    "formatBase", "formatInteger", "formatNumber", "fromMillis", "hash", "join", "keys",
    "length", "lookup", "lowercase", "map", "match", "max", "merge", "millis", "min", "not",
    "now", "number", "pad", "parse", "parseInteger", "partition", "power", "random",
    "range", "reduce", "replace", "reverse", "round", "shuffle", "sift", "single", "sort",
    "split", "spread", "sqrt", "string", "substring", "substringAfter", "substringBefore",
    "sum", "toMillis", "trim", "type",
];

/// What one node of a value counts, beside its text.
const NODE_BYTES: usize = 16;

/// Puts the checks into a tree.
pub(super) fn guard(node: &mut AstNode) {
    match node {
        AstNode::Binary { op, lhs, rhs } => {
            guard(lhs);
            guard(rhs);
            match op {
                BinaryOp::ColonEqual => bound(rhs),
                BinaryOp::Concatenate => {
                    let inner = std::mem::replace(node, AstNode::Null);
                    *node = call(BOUNDED, vec![inner]);
                }
                _ => {}
            }
        }
        AstNode::Function { name, args, .. } => {
            args.iter_mut().for_each(guard);
            // What a callback returns is fed into the next call.
            args.iter_mut().for_each(bound_callback);
            guard_function(name, args);
        }
        AstNode::Call { procedure, args } => {
            guard(procedure);
            args.iter_mut().for_each(guard);
            args.iter_mut().for_each(bound);
        }
        other => each_child(other, &mut guard),
    }
}

/// Calls a function for each node right below.
fn each_child(node: &mut AstNode, visit: &mut dyn FnMut(&mut AstNode)) {
    match node {
        AstNode::Path { steps } => {
            for PathStep { node, stages, .. } in steps {
                visit(node);
                for stage in stages {
                    if let jsonata_core::ast::Stage::Filter(filter) = stage {
                        visit(filter);
                    }
                }
            }
        }
        AstNode::Unary { operand, .. } => visit(operand),
        AstNode::FunctionApplication(inner) => visit(inner),
        AstNode::Lambda { body, .. } => visit(body),
        AstNode::Array(items) | AstNode::ArrayGroup(items) | AstNode::Block(items) => {
            items.iter_mut().for_each(visit);
        }
        AstNode::Object(members) => {
            for (key, value) in members {
                visit(key);
                visit(value);
            }
        }
        AstNode::ObjectTransform { input, pattern } => {
            visit(input);
            for (key, value) in pattern {
                visit(key);
                visit(value);
            }
        }
        AstNode::Conditional { condition, then_branch, else_branch } => {
            visit(condition);
            visit(then_branch);
            if let Some(branch) = else_branch {
                visit(branch);
            }
        }
        AstNode::Sort { input, terms } => {
            visit(input);
            for (term, _) in terms {
                visit(term);
            }
        }
        AstNode::Transform { location, update, delete } => {
            visit(location);
            visit(update);
            if let Some(delete) = delete {
                visit(delete);
            }
        }
        _ => {}
    }
}

fn call(name: &str, args: Vec<AstNode>) -> AstNode {
    AstNode::Function { name: name.to_owned(), args, is_builtin: true }
}

/// Checks the value of a node that may be large.
fn bound(node: &mut AstNode) {
    let grows = matches!(
        node,
        AstNode::Array(_)
            | AstNode::Object(_)
            | AstNode::Function { .. }
            | AstNode::Call { .. }
            | AstNode::Block(_)
            | AstNode::Conditional { .. }
            | AstNode::Path { .. }
            | AstNode::ObjectTransform { .. }
    );
    if grows {
        let inner = std::mem::replace(node, AstNode::Null);
        *node = call(BOUNDED, vec![inner]);
    }
}

fn bound_callback(node: &mut AstNode) {
    if let AstNode::Lambda { body, .. } = node {
        bound(body);
    }
}

fn guard_function(name: &str, args: &mut [AstNode]) {
    let check = match name {
        "string" | "append" | "zip" => BOUNDED,
        "join" => JOINED,
        "replace" => REPLACED,
        // A function of the expression's own: what it is given grows from call to call.
        other if !BUILT_IN.contains(&other) => BOUNDED,
        _ => return,
    };
    if check == BOUNDED {
        args.iter_mut().for_each(bound);
        return;
    }
    // The separator of a join, or the replacement.
    let other = args.get(if check == JOINED { 1 } else { 2 });
    let other = match other {
        Some(other @ (AstNode::String(_) | AstNode::Variable(_))) => other.clone(),
        Some(AstNode::Lambda { .. }) | None => AstNode::String(String::new()),
        Some(other) => other.clone(),
    };
    if let Some(first) = args.first_mut() {
        let inner = std::mem::replace(first, AstNode::Null);
        *first = call(check, vec![inner, other]);
    }
}

/// Refuses a result that is too large to be written out.
pub(super) fn check(result: &JValue, most: usize) -> Result<(), EvaluatorError> {
    let mut left = most;
    if fits(result, &mut left) { Ok(()) } else { too_large(most).map(|_| ()) }
}

/// Registers the checks.
pub(super) fn register(evaluator: &mut Evaluator, most: usize) -> Result<(), EvaluatorError> {
    evaluator.register_fn(BOUNDED, move |arguments: &[JValue]| {
        let value = arguments.first().cloned().unwrap_or(JValue::Undefined);
        let mut left = most;
        if fits(&value, &mut left) { Ok(value) } else { too_large(most) }
    })?;
    evaluator.register_fn(JOINED, move |arguments: &[JValue]| {
        let value = arguments.first().cloned().unwrap_or(JValue::Undefined);
        let mut left = most;
        let count = value.as_array().map_or(0, Vec::len);
        let separators = count.saturating_mul(length(arguments.get(1)));
        let all = fits(&value, &mut left) && separators <= left;
        if all { Ok(value) } else { too_large(most) }
    })?;
    evaluator.register_fn(REPLACED, move |arguments: &[JValue]| {
        let value = arguments.first().cloned().unwrap_or(JValue::Undefined);
        let bytes = length(Some(&value)).saturating_add(1);
        let bytes = bytes.saturating_mul(length(arguments.get(1)).saturating_add(1));
        // A replacement for every letter is the worst case, not the usual one.
        if bytes <= most.saturating_mul(16) { Ok(value) } else { too_large(most) }
    })
}

fn too_large(most: usize) -> Result<JValue, EvaluatorError> {
    Err(EvaluatorError::EvaluationError(format!("D2015: The value takes more than {most} bytes")))
}

fn length(value: Option<&JValue>) -> usize {
    value.and_then(JValue::as_str).map_or(0, str::len)
}

/// Whether a value, written out, takes no more than is left. Parts that are shared count each time.
fn fits(value: &JValue, left: &mut usize) -> bool {
    let own = NODE_BYTES + value.as_str().map_or(0, str::len);
    let Some(rest) = left.checked_sub(own) else { return false };
    *left = rest;
    if let Some(items) = value.as_array() {
        return items.iter().all(|item| fits(item, left));
    }
    if let Some(members) = value.as_object() {
        return members.iter().all(|(key, value)| {
            let Some(rest) = left.checked_sub(key.len()) else { return false };
            *left = rest;
            fits(value, left)
        });
    }
    true
}

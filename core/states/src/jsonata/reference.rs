//! Names that an expression looks up in its input. AWS gives expressions no input: they start from
//! `$states` or from a variable.

use jsonata_core::ast::AstNode;

/// The first such name.
pub(super) fn top_level(node: &AstNode) -> Option<String> {
    let first = |nodes: &[AstNode]| nodes.iter().find_map(top_level);
    match node {
        AstNode::Name(name) => Some(name.clone()),
        AstNode::Variable(name) if name.is_empty() => Some("$".to_owned()),
        AstNode::ParentVariable(name) if name.is_empty() => Some("$$".to_owned()),
        // What follows the first step sees what the first step gave.
        AstNode::Path { steps } => steps.first().and_then(|step| top_level(&step.node)),
        AstNode::Binary { lhs, rhs, .. } => top_level(lhs).or_else(|| top_level(rhs)),
        AstNode::Unary { operand, .. } => top_level(operand),
        AstNode::Function { args, .. } => first(args),
        AstNode::Call { procedure, args } => top_level(procedure).or_else(|| first(args)),
        AstNode::Array(items) | AstNode::ArrayGroup(items) | AstNode::Block(items) => first(items),
        AstNode::Object(members) => {
            members.iter().find_map(|(key, value)| top_level(key).or_else(|| top_level(value)))
        }
        AstNode::ObjectTransform { input, .. } | AstNode::Sort { input, .. } => top_level(input),
        AstNode::Conditional { condition, then_branch, else_branch } => top_level(condition)
            .or_else(|| top_level(then_branch))
            .or_else(|| else_branch.as_deref().and_then(top_level)),
        _ => None,
    }
}

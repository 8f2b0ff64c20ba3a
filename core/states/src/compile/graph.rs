//! The transitions of a machine: each state can be reached, and one ends it.

use super::Compiler;
use crate::finding::Code;
use crate::program::{Kind, ScopeId, State, StateId};

impl Compiler<'_> {
    /// Finds scopes without an end, and states that cannot be reached.
    pub(super) fn check_graph(&mut self) {
        for scope in 0..self.scopes.len() {
            let states = self.scopes[scope].states.clone();
            if states.iter().any(|id| self.states[id.0 as usize].is_none()) {
                continue;
            }
            let ends = states.iter().any(|id| {
                let state = self.states[id.0 as usize].as_ref();
                state.is_some_and(ends)
            });
            if !ends && scope > 0 {
                continue;
            }
            if !ends {
                let message = "Workflow has no terminal state".to_owned();
                self.other(Code::MissingEndState, None, message);
                continue;
            }
            self.check_reachable(scope, &states);
        }
    }

    fn check_reachable(&mut self, scope: usize, states: &[StateId]) {
        let mut reached = vec![false; self.states.len()];
        let starts = !self.without_start.contains(&ScopeId(scope as u32));
        let mut open = if starts { vec![self.scopes[scope].start] } else { Vec::new() };
        while let Some(id) = open.pop() {
            let Some(Some(state)) = self.states.get(id.0 as usize) else { continue };
            if !std::mem::replace(&mut reached[id.0 as usize], true) {
                open.extend(state.targets());
            }
        }
        for id in states {
            let Some(state) = &self.states[id.0 as usize] else { continue };
            if !reached[id.0 as usize] {
                let message = format!("State \"{}\" is not reachable.", state.name);
                let at = state.location.to_string();
                self.other(Code::MissingTransitionTarget, Some(at), message);
            }
        }
    }
}

fn ends(state: &State) -> bool {
    match &state.kind {
        Kind::Succeed | Kind::Fail { .. } => true,
        _ => state.end,
    }
}

//! Programs whose steps are short, whatever their input: they may run where nothing else waits.

use super::{Kind, Language, Program, StateId};

/// The most states of such a program.
const STATES_MAX: usize = 64;

impl Program {
    /// Whether a step of an execution takes a short time, whatever its input: there are few states,
    /// none is entered twice, none runs for each of many items, and none evaluates JSONata.
    pub fn is_brief(&self) -> bool {
        let brief = |kind: &Kind| !matches!(kind, Kind::Map(_));
        self.states.len() <= STATES_MAX
            && self.states.iter().all(|state| state.language == Language::JsonPath)
            && self.states.iter().all(|state| brief(&state.kind))
            && !self.has_circle()
    }

    /// Whether a state may be entered again by the transitions that follow it.
    fn has_circle(&self) -> bool {
        let mut seen = vec![Seen::Not; self.states.len()];
        (0..self.states.len()).any(|at| self.returns(StateId(at as u32), &mut seen))
    }

    fn returns(&self, id: StateId, seen: &mut [Seen]) -> bool {
        match std::mem::replace(&mut seen[id.0 as usize], Seen::Open) {
            Seen::Open => return true,
            Seen::Done => {
                seen[id.0 as usize] = Seen::Done;
                return false;
            }
            Seen::Not => {}
        }
        let returns = self.state(id).targets().into_iter().any(|next| self.returns(next, seen));
        seen[id.0 as usize] = Seen::Done;
        returns
    }
}

#[derive(Clone, Copy)]
enum Seen {
    Not,
    /// On the way to the state that is looked at.
    Open,
    Done,
}

#[cfg(test)]
mod tests {
    use crate::{Limits, MachineType, Program};

    fn is_brief(states: &str) -> bool {
        let text = format!(r#"{{"StartAt":"A","States":{{{states}}}}}"#);
        Program::compile(&text, MachineType::Standard, &Limits::default()).unwrap().is_brief()
    }

    #[test]
    fn a_line_of_states_is_brief_and_circles_maps_and_jsonata_are_not() {
        let pass = r#""A":{"Type":"Pass","Next":"B"},"B":{"Type":"Succeed"}"#;
        assert!(is_brief(pass));
        let choice = r#""A":{"Type":"Choice","Choices":[
            {"Variable":"$.x","NumericEquals":1,"Next":"B"}],"Default":"C"},
            "B":{"Type":"Pass","Next":"C"},"C":{"Type":"Succeed"}"#;
        assert!(is_brief(choice));
        assert!(!is_brief(&choice.replace(r#""Next":"C""#, r#""Next":"A""#)));
        assert!(!is_brief(r#""A":{"Type":"Pass","QueryLanguage":"JSONata","End":true}"#));
        assert!(!is_brief(
            r#""A":{"Type":"Map","End":true,"ItemProcessor":{
                "StartAt":"I","States":{"I":{"Type":"Pass","End":true}}}}"#
        ));
        let many: Vec<_> = (0..65)
            .map(|at| format!(r#""{}":{{"Type":"Pass","Next":"{}"}}"#, name(at), name(at + 1)))
            .collect();
        assert!(!is_brief(&format!(r#"{},"{}":{{"Type":"Succeed"}}"#, many.join(","), name(65))));
    }

    fn name(at: usize) -> String {
        if at == 0 { "A".to_owned() } else { format!("S{at}") }
    }
}

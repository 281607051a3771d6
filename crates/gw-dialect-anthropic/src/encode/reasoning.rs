//! Thinking and effort, by what the model accepts.

use gw_core::{Effort, Field, LossClass, PartBody, Reasoning, StateKind, Toggle, Visibility};
use gw_spi::{ReasoningStyle, Sampled};
use gw_wire::JsonWriter;

use super::Encoder;
use super::output::write_members;
use super::turns::{Turn, TurnRole};

/// Smallest thinking budget of the API.
const SMALLEST_BUDGET: i64 = 1_024;

/// `thinking.type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// With a budget in tokens.
    Enabled(i64),
    /// The model decides how much.
    Adaptive,
    /// Off.
    Disabled,
    /// Only between tool calls.
    BetweenTools,
}

/// What is sent about reasoning.
#[derive(Debug, Clone, Default)]
pub(super) struct Thinking {
    /// `thinking`; absent leaves the model's default.
    pub(super) mode: Option<Mode>,
    /// `output_config.effort`.
    pub(super) effort: Option<Effort>,
    /// `thinking.display`.
    display: Option<&'static str>,
}

impl Thinking {
    /// Whether thinking is switched on by the request.
    pub(super) fn is_on(&self) -> bool {
        matches!(self.mode, Some(Mode::Enabled(_) | Mode::Adaptive))
    }
}

/// Decides from the request, the capabilities and the history.
pub(super) fn plan(encoder: &mut Encoder<'_>, turns: &[Turn<'_>]) -> Thinking {
    let wanted = &encoder.request.reasoning;
    let mut thinking = match encoder.context.capabilities.reasoning {
        ReasoningStyle::None => {
            no_control(encoder, wanted);
            Thinking::default()
        }
        ReasoningStyle::Adaptive | ReasoningStyle::Effort => adaptive(encoder, wanted),
        ReasoningStyle::Budget
        | ReasoningStyle::Level
        | ReasoningStyle::ThinkingToggle
        | ReasoningStyle::EnableThinking => budget(encoder, wanted),
    };
    if matches!(thinking.mode, Some(Mode::Enabled(_))) && tool_loop_lacks_thinking(encoder, turns) {
        let note = "thinking off: the tool calls being answered carry no thinking that the target can verify";
        encoder.changed(Field::ReasoningToggle, LossClass::Approximated, note);
        thinking.mode = None;
    }
    display(encoder, wanted, &mut thinking);
    thinking
}

fn no_control(encoder: &mut Encoder<'_>, wanted: &Reasoning) {
    let note = "the model has no reasoning control";
    if matches!(wanted.toggle, Toggle::On | Toggle::Adaptive | Toggle::BetweenTools) {
        encoder.lose(Field::ReasoningToggle, LossClass::Approximated, note);
    }
    if wanted.effort.as_ref().is_some_and(|effort| *effort != Effort::None) {
        encoder.lose(Field::ReasoningEffort, LossClass::Approximated, note);
    }
    if wanted.budget_tokens.is_some_and(|budget| budget != 0) {
        encoder.lose(Field::ReasoningBudget, LossClass::Approximated, note);
    }
}

/// Whether the client wants no reasoning at all.
fn wants_off(wanted: &Reasoning) -> bool {
    match wanted.toggle {
        Toggle::Off => true,
        Toggle::Default => wanted.effort == Some(Effort::None) || wanted.budget_tokens == Some(0),
        Toggle::On | Toggle::Adaptive | Toggle::BetweenTools => false,
    }
}

fn adaptive(encoder: &mut Encoder<'_>, wanted: &Reasoning) -> Thinking {
    let capabilities = encoder.context.capabilities;
    let mut thinking = Thinking::default();
    let mut effort = wanted.effort.clone().filter(|effort| *effort != Effort::None);
    if wants_off(wanted) {
        if capabilities.can_disable_reasoning {
            thinking.mode = Some(Mode::Disabled);
        } else {
            effort = capabilities.efforts.first().cloned();
            encoder.changed(Field::ReasoningToggle, LossClass::Approximated, "reasoning cannot be off: lowest effort");
        }
    } else if wanted.toggle == Toggle::BetweenTools {
        thinking.mode = Some(Mode::BetweenTools);
    } else {
        if let Some(budget) = wanted.budget_tokens.filter(|budget| *budget > 0) {
            effort = effort.or_else(|| Effort::from_budget(budget));
            let note = "a thinking budget is sent as adaptive thinking with an effort";
            encoder.changed(Field::ReasoningBudget, LossClass::Approximated, note);
        }
        // A client of this format that names only an effort leaves thinking at the model's default.
        let asked = wanted.toggle != Toggle::Default
            || wanted.budget_tokens.is_some()
            || (effort.is_some() && !encoder.own)
            || wanted.visibility == Visibility::Summary;
        thinking.mode = asked.then_some(Mode::Adaptive);
    }
    thinking.effort = snapped(encoder, effort);
    thinking
}

/// The effort word that the model takes.
fn snapped(encoder: &mut Encoder<'_>, wanted: Option<Effort>) -> Option<Effort> {
    let wanted = wanted?;
    let Some(taken) = encoder.context.capabilities.snap_effort(&wanted).cloned() else {
        encoder.lose(Field::ReasoningEffort, LossClass::Approximated, "the model has no effort control");
        return None;
    };
    if taken != wanted {
        let note = format!("effort sent as {}", taken.as_str());
        encoder.changed(Field::ReasoningEffort, LossClass::Approximated, note);
    }
    Some(taken)
}

fn budget(encoder: &mut Encoder<'_>, wanted: &Reasoning) -> Thinking {
    let mut thinking = Thinking::default();
    let capabilities = encoder.context.capabilities;
    let class = LossClass::Approximated;
    let (tokens, exact) = match (wants_off(wanted), wanted.budget_tokens, &wanted.effort) {
        (true, _, _) if capabilities.can_disable_reasoning => {
            thinking.mode = Some(Mode::Disabled);
            return thinking;
        }
        (true, _, _) => {
            encoder.changed(Field::ReasoningToggle, class, "reasoning cannot be off: smallest budget");
            (SMALLEST_BUDGET, false)
        }
        (false, _, _) if wanted.toggle == Toggle::BetweenTools => {
            encoder.changed(Field::ReasoningToggle, class, "thinking between tools is not available: off");
            thinking.mode = Some(Mode::Disabled);
            return thinking;
        }
        (false, Some(tokens), _) if tokens > 0 => {
            // An effort of this format's own is a control besides the budget.
            if encoder.own && !capabilities.efforts.is_empty() {
                thinking.effort = snapped(encoder, wanted.effort.clone());
            }
            (tokens, true)
        }
        (false, automatic, Some(effort)) if *effort != Effort::None => {
            if encoder.own && wanted.toggle == Toggle::Default && automatic.is_none() {
                thinking.effort = snapped(encoder, Some(effort.clone()));
                return thinking;
            }
            let tokens = effort.to_budget();
            encoder.changed(Field::ReasoningEffort, class, format!("effort sent as a thinking budget of {tokens}"));
            (tokens, false)
        }
        (false, None, _) if wanted.toggle == Toggle::Default => return thinking,
        (false, _, _) => {
            let tokens = Effort::Medium.to_budget();
            encoder.changed(Field::ReasoningBudget, class, format!("automatic thinking sent as a budget of {tokens}"));
            (tokens, false)
        }
    };
    let sent = clamped(encoder, tokens);
    if exact && sent != Some(tokens) {
        let note = sent.map_or_else(
            || "thinking off: the output limit leaves no room for a budget".to_owned(),
            |sent| format!("thinking budget sent as {sent}"),
        );
        encoder.changed(Field::ReasoningBudget, class, note);
    } else if sent.is_none() {
        let note = "thinking off: the output limit leaves no room for a budget";
        encoder.changed(Field::ReasoningToggle, class, note);
    }
    thinking.mode = sent.map(Mode::Enabled);
    thinking
}

/// `1024 <= budget < max_tokens`, inside the model's own range; `None` when there is no such budget.
fn clamped(encoder: &Encoder<'_>, tokens: i64) -> Option<i64> {
    let (smallest, largest) = encoder.context.capabilities.budget_range;
    let smallest = smallest.max(SMALLEST_BUDGET);
    let below_limit = i64::try_from(encoder.output_limit()).unwrap_or(i64::MAX).saturating_sub(1);
    let largest = largest.max(smallest).min(below_limit);
    (largest >= smallest).then(|| tokens.clamp(smallest, largest))
}

/// Budget thinking needs the thinking blocks of the tool loop that is going on. Turns that still hold some are left to
/// the target's judgement.
fn tool_loop_lacks_thinking(encoder: &Encoder<'_>, turns: &[Turn<'_>]) -> bool {
    let answers = turns
        .last()
        .is_some_and(|turn| turn.items.iter().any(|item| matches!(item.part.body, PartBody::ToolResult { .. })));
    let mut assistant = turns.iter().rev().filter(|turn| turn.role == TurnRole::Assistant);
    let holds_thinking = |turn: &Turn<'_>| {
        turn.items.iter().any(|item| {
            matches!(item.part.body, PartBody::Reasoning { .. })
                && item.part.state.as_ref().is_some_and(|state| state.vendor == encoder.context.vendor)
        })
    };
    answers
        && assistant
            .clone()
            .next()
            .is_some_and(|turn| turn.items.iter().any(|item| matches!(item.part.body, PartBody::ToolCall { .. })))
        && !assistant.any(holds_thinking)
}

fn display(encoder: &mut Encoder<'_>, wanted: &Reasoning, thinking: &mut Thinking) {
    let on = matches!(thinking.mode, Some(Mode::Enabled(_) | Mode::Adaptive | Mode::BetweenTools));
    match wanted.visibility {
        Visibility::Default => {}
        Visibility::Hidden if on => thinking.display = Some("omitted"),
        Visibility::Summary if on => thinking.display = Some("summarized"),
        Visibility::Full if on => {
            thinking.display = Some("summarized");
            encoder.changed(Field::ReasoningVisibility, LossClass::Approximated, "reasoning is shown as a summary");
        }
        // Nothing is asked to be thought, or the pipeline hides what there is.
        Visibility::Hidden => {}
        Visibility::Summary | Visibility::Full if thinking.mode == Some(Mode::Disabled) => {}
        Visibility::Summary | Visibility::Full => {
            encoder.lose(Field::ReasoningVisibility, LossClass::Approximated, "no reasoning is asked for");
        }
    }
}

impl Encoder<'_> {
    /// Writes `thinking`.
    pub(super) fn write_thinking(&mut self, w: &mut JsonWriter) {
        let rest = self.own_extra("thinking");
        let thinking = self.thinking.clone();
        let Some(mode) = thinking.mode else {
            // A whole object of a kind that is newer than this code.
            if let Some(rest) = rest
                && self.top(w, "thinking")
            {
                w.raw(rest.as_str());
            }
            return;
        };
        if !self.top(w, "thinking") {
            return;
        }
        w.object(|w| {
            let word = match mode {
                Mode::Enabled(_) => "enabled",
                Mode::Adaptive => "adaptive",
                Mode::Disabled => "disabled",
                Mode::BetweenTools => "between_tools",
            };
            w.field_str("type", word);
            if let Mode::Enabled(tokens) = mode {
                w.key("budget_tokens").i64(tokens);
            }
            if let Some(display) = thinking.display {
                w.field_str("display", display);
            }
            write_members(w, rest, &["type", "budget_tokens", "display"]);
        });
    }

    /// Whether sampling parameters are refused for this request.
    pub(super) fn refuses_sampling(&self) -> bool {
        match self.context.capabilities.sampling {
            Sampled::Always => false,
            Sampled::Never => true,
            Sampled::WithoutReasoning => self.thinking.is_on(),
        }
    }
}

/// Kinds of state that replace readable reasoning.
pub(super) fn replaces_text(kind: StateKind) -> bool {
    matches!(kind, StateKind::Redacted | StateKind::Encrypted)
}

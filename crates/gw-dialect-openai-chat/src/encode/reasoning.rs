//! Reasoning controls in the spelling of the server.

use gw_core::{Effort, Field, LossAction, LossClass, Toggle, Visibility};
use gw_spi::ReasoningStyle;

use super::{Body, Plan};
use crate::ID;

/// Writes the reasoning controls.
pub(super) fn encode(plan: &mut Plan<'_>, body: &mut Body) {
    visibility(plan);
    let reasoning = &plan.request.reasoning;
    let silent = reasoning.toggle == Toggle::Default && reasoning.effort.is_none() && reasoning.budget_tokens.is_none();
    if silent {
        return;
    }
    if reasoning.toggle == Toggle::BetweenTools {
        plan.approximate(Field::ReasoningToggle, "the target cannot reason only between tools");
    }
    match plan.capabilities.reasoning {
        ReasoningStyle::None => none(plan),
        ReasoningStyle::Effort | ReasoningStyle::Adaptive | ReasoningStyle::Level => effort(plan, body),
        ReasoningStyle::Budget => budget(plan, body),
        ReasoningStyle::ThinkingToggle => thinking_toggle(plan, body),
        ReasoningStyle::EnableThinking => enable_thinking(plan, body),
    }
}

fn visibility(plan: &mut Plan<'_>) {
    match plan.request.reasoning.visibility {
        Visibility::Default => {}
        // A Gemini client that says nothing about thinking wants none shown: no news unless it asked for thinking.
        Visibility::Hidden
            if plan.request.reasoning.effort.is_none() && plan.request.reasoning.budget_tokens.is_none() => {}
        Visibility::Hidden => plan.losses.push(gw_core::Loss::new(
            Field::ReasoningVisibility,
            LossClass::Emulated,
            LossAction::Emulated,
            "the gateway leaves readable reasoning out of the answer",
        )),
        Visibility::Summary | Visibility::Full => {
            plan.approximate(Field::ReasoningVisibility, "the target shows what it shows by default");
        }
    }
}

/// Whether the client switched reasoning off.
fn off(plan: &Plan<'_>) -> bool {
    let reasoning = &plan.request.reasoning;
    match reasoning.toggle {
        Toggle::Off => true,
        Toggle::On | Toggle::Adaptive => false,
        Toggle::Default | Toggle::BetweenTools => {
            reasoning.effort == Some(Effort::None) || (reasoning.effort.is_none() && reasoning.budget_tokens == Some(0))
        }
    }
}

fn none(plan: &mut Plan<'_>) {
    if off(plan) {
        return;
    }
    let note = "the target has no reasoning control";
    let reasoning = &plan.request.reasoning;
    if reasoning.effort.is_some() {
        plan.drop(Field::ReasoningEffort, LossClass::Approximated, note);
    }
    if reasoning.budget_tokens.is_some() {
        plan.drop(Field::ReasoningBudget, LossClass::Approximated, note);
    }
    if matches!(reasoning.toggle, Toggle::On | Toggle::Adaptive) {
        plan.drop(Field::ReasoningToggle, LossClass::Approximated, note);
    }
}

/// The effort word to send: the client's, or the nearest to what it asked for; reports what moved.
fn wanted_effort(plan: &mut Plan<'_>) -> Option<Effort> {
    let reasoning = &plan.request.reasoning;
    if off(plan) {
        return Some(Effort::None);
    }
    if let Some(effort) = &reasoning.effort {
        if reasoning.budget_tokens.is_some() {
            plan.drop(Field::ReasoningBudget, LossClass::Approximated, "the effort word was sent instead");
        }
        return Some(effort.clone());
    }
    match reasoning.budget_tokens {
        Some(budget) => {
            let effort = Effort::from_budget(budget).unwrap_or(Effort::Medium);
            plan.approximate(Field::ReasoningBudget, format!("sent as effort '{}'", effort.as_str()));
            Some(effort)
        }
        None if matches!(reasoning.toggle, Toggle::On | Toggle::Adaptive) => {
            plan.approximate(Field::ReasoningToggle, "sent as effort 'medium'");
            Some(Effort::Medium)
        }
        None => None,
    }
}

/// Snaps to what the server accepts and writes `reasoning_effort`.
fn write_effort(plan: &mut Plan<'_>, body: &mut Body, wanted: &Effort) {
    match plan.capabilities.snap_effort(wanted) {
        Some(word) => {
            let word = word.clone();
            if word != *wanted {
                plan.approximate(Field::ReasoningEffort, format!("sent as '{}'", word.as_str()));
            }
            body.put("reasoning_effort", |writer| writer.string(word.as_str()));
        }
        None => plan.drop(Field::ReasoningEffort, LossClass::Approximated, "the target has no effort words"),
    }
}

fn effort(plan: &mut Plan<'_>, body: &mut Body) {
    let Some(wanted) = wanted_effort(plan) else { return };
    if wanted == Effort::None && plan.capabilities.can_disable_reasoning && plan.target.aggregator {
        body.put("reasoning", |writer| writer.object(|object| object.field_bool("enabled", false)));
        return;
    }
    write_effort(plan, body, &wanted);
}

fn budget(plan: &mut Plan<'_>, body: &mut Body) {
    let (lowest, highest) = plan.capabilities.budget_range;
    let reasoning = &plan.request.reasoning;
    let tokens = if off(plan) {
        if !plan.capabilities.can_disable_reasoning {
            plan.approximate(Field::ReasoningToggle, "reasoning cannot be switched off; the lowest budget was sent");
        }
        if plan.capabilities.can_disable_reasoning { 0 } else { lowest }
    } else {
        match (reasoning.budget_tokens, &reasoning.effort) {
            (Some(tokens), _) if tokens >= 0 => clamp(plan, tokens, lowest, highest),
            (_, Some(word)) => {
                let tokens = word.to_budget().clamp(lowest, highest);
                plan.approximate(Field::ReasoningEffort, format!("sent as a budget of {tokens} tokens"));
                tokens
            }
            _ => {
                body.put("reasoning", |writer| writer.object(|object| object.field_bool("enabled", true)));
                return;
            }
        }
    };
    body.put("reasoning", |writer| {
        writer.object(|object| {
            if tokens == 0 {
                object.field_bool("enabled", false);
            } else {
                object.key("max_tokens").i64(tokens);
            }
        });
    });
}

fn clamp(plan: &mut Plan<'_>, tokens: i64, lowest: i64, highest: i64) -> i64 {
    let clamped = tokens.clamp(lowest, highest.max(lowest));
    if clamped != tokens {
        plan.approximate(Field::ReasoningBudget, format!("sent as {clamped} tokens"));
    }
    clamped
}

/// DeepSeek: `thinking: {type}` and an effort word.
fn thinking_toggle(plan: &mut Plan<'_>, body: &mut Body) {
    if off(plan) && !plan.capabilities.can_disable_reasoning {
        plan.approximate(Field::ReasoningToggle, "reasoning cannot be switched off");
        return;
    }
    let kind = if off(plan) { "disabled" } else { "enabled" };
    // The client's own object with members beyond these travels as it is, among the unknown fields.
    let written = plan.request.extras.iter().any(|extra| extra.dialect == ID && extra.name == "thinking");
    if !(written && plan.target.lenient_own) {
        body.put("thinking", |writer| writer.object(|object| object.field_str("type", kind)));
    }
    if kind == "disabled" {
        return;
    }
    let reasoning = &plan.request.reasoning;
    if reasoning.effort.is_some() || reasoning.budget_tokens.is_some() {
        if let Some(wanted) = wanted_effort(plan) {
            write_effort(plan, body, &wanted);
        }
    } else if reasoning.toggle == Toggle::Adaptive {
        plan.approximate(Field::ReasoningToggle, "sent as thinking enabled");
    }
}

/// Qwen: `enable_thinking` and `thinking_budget`.
fn enable_thinking(plan: &mut Plan<'_>, body: &mut Body) {
    let enabled = !off(plan);
    if !enabled && !plan.capabilities.can_disable_reasoning {
        plan.approximate(Field::ReasoningToggle, "reasoning cannot be switched off");
        return;
    }
    body.put("enable_thinking", |writer| writer.bool(enabled));
    if !enabled {
        return;
    }
    let (lowest, highest) = plan.capabilities.budget_range;
    let reasoning = &plan.request.reasoning;
    let tokens = match (reasoning.budget_tokens, &reasoning.effort) {
        (Some(tokens), _) if tokens > 0 => Some(clamp(plan, tokens, lowest, highest)),
        (None, Some(word)) => {
            let tokens = word.to_budget().clamp(lowest, highest.max(lowest));
            plan.approximate(Field::ReasoningEffort, format!("sent as a budget of {tokens} tokens"));
            Some(tokens)
        }
        _ => {
            if reasoning.toggle == Toggle::Adaptive {
                plan.approximate(Field::ReasoningToggle, "sent as thinking enabled");
            }
            None
        }
    };
    if reasoning.budget_tokens.is_some() && reasoning.effort.is_some() {
        plan.drop(Field::ReasoningEffort, LossClass::Approximated, "the token budget was sent instead");
    }
    if let Some(tokens) = tokens {
        body.put("thinking_budget", |writer| writer.i64(tokens));
    }
}

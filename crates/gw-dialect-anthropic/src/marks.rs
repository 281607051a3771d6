//! Which prompt-cache marks are sent when a request has more than the target takes.

use gw_core::{CacheMark, ChatRequest, Field, Loss, LossAction, LossClass, Part, PartBody, Place, Role};
use gw_spi::Capabilities;
use gw_wire::JsonWriter;

/// A marked definition or part; the number counts the parts inside a tool result.
type MarkKey = (Place, Option<u32>);

/// The marks that are left out.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    all_dropped: bool,
    dropped: Vec<MarkKey>,
}

impl Marks {
    /// Chooses the marks: the earliest of the messages go first, then the earliest of tools and instructions.
    pub(crate) fn plan(request: &ChatRequest, capabilities: &Capabilities, losses: &mut Vec<Loss>) -> Self {
        let (stable, moving) = collect(request);
        if !capabilities.cache_marks {
            let all = stable.iter().chain(&moving);
            losses.extend(all.map(|key| lost(*key, "the target takes no cache marks")));
            return Self { all_dropped: true, dropped: Vec::new() };
        }
        let automatic = usize::from(request.cache.auto_last.is_some());
        let total = stable.len() + moving.len() + automatic;
        let excess = total.saturating_sub(capabilities.max_cache_marks);
        let dropped: Vec<MarkKey> = moving.into_iter().chain(stable).take(excess).collect();
        losses.extend(dropped.iter().map(|key| lost(*key, "more cache marks than the target takes")));
        Self { all_dropped: false, dropped }
    }

    /// Writes `cache_control` unless there is no mark or it is left out.
    pub(crate) fn write(&self, w: &mut JsonWriter, mark: Option<&CacheMark>, place: Place, inner: Option<u32>) {
        if let Some(mark) = self.kept(mark, place, inner) {
            w.key("cache_control");
            write_mark(w, mark);
        }
    }

    /// The mark if it is sent.
    pub(crate) fn kept<'m>(
        &self,
        mark: Option<&'m CacheMark>,
        place: Place,
        inner: Option<u32>,
    ) -> Option<&'m CacheMark> {
        mark.filter(|_| !self.all_dropped && !self.dropped.contains(&(place, inner)))
    }
}

/// `{"type":"ephemeral"}` with the shortest known lifetime that is not below the wanted one, where one is wanted.
pub(crate) fn write_mark(w: &mut JsonWriter, mark: &CacheMark) {
    w.object(|w| {
        w.field_str("type", "ephemeral");
        match mark.ttl.as_deref() {
            Some("5m") => w.field_str("ttl", "5m"),
            Some(_) => w.field_str("ttl", "1h"),
            None => {}
        }
    });
}

/// The loss of a lifetime that this format does not have.
pub(crate) fn lifetime_loss(mark: Option<&CacheMark>, place: Place) -> Option<Loss> {
    let ttl = mark?.ttl.as_deref()?;
    let note = "cache lifetime sent as 1h";
    (!matches!(ttl, "5m" | "1h"))
        .then(|| Loss::new(Field::CacheMark, LossClass::Performance, LossAction::Approximated, note).at(place))
}

fn lost((place, _): MarkKey, note: &'static str) -> Loss {
    Loss::new(Field::CacheMark, LossClass::Performance, LossAction::Dropped, note).at(place)
}

/// Marks of tools and instructions, and marks of messages, each in order. Reasoning cannot be marked.
fn collect(request: &ChatRequest) -> (Vec<MarkKey>, Vec<MarkKey>) {
    let (mut stable, mut moving) = (Vec::new(), Vec::new());
    for (index, tool) in (0u32..).zip(&request.tools) {
        if tool.cache.is_some() {
            stable.push((Place { tool: Some(index), ..Place::default() }, None));
        }
    }
    for (message_at, message) in (0u32..).zip(&request.messages) {
        let list = match message.role {
            Role::System | Role::Developer => &mut stable,
            Role::User | Role::Assistant | Role::Tool => &mut moving,
        };
        for (part_at, part) in (0u32..).zip(&message.parts) {
            let place = Place { message: Some(message_at), part: Some(part_at), tool: None };
            if let PartBody::ToolResult { content, .. } = &part.body {
                let marked = (0u32..).zip(content).filter(|(_, inner)| inner.cache.is_some());
                list.extend(marked.map(|(inner, _)| (place, Some(inner))));
            }
            if part.cache.is_some() && can_carry(part) {
                list.push((place, None));
            }
        }
    }
    (stable, moving)
}

fn can_carry(part: &Part) -> bool {
    !matches!(part.body, PartBody::Reasoning { .. })
}

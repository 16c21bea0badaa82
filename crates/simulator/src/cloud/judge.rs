//! Meta's judgement of templates, and whatever else an account reports.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    account::{State, Template},
    post::Change,
    templates::view,
};
use crate::sim::Sim;

impl super::Gateway {
    /// Gives a template another status, and tells it.
    pub(crate) fn judge(&self, sim: &Arc<Sim>, id: &str, event: &str, reason: Option<&str>) -> Option<Value> {
        let mut state = self.state();
        let template = state.templates.get_mut(id)?;
        if !["PENDING_DELETION", "FLAGGED", "REINSTATED", "UNARCHIVED"].contains(&event) {
            event.clone_into(&mut template.status);
        }
        if event == "REINSTATED" || event == "UNARCHIVED" {
            template.status = "APPROVED".into();
        }
        let reason = reason.unwrap_or("NONE");
        reason.clone_into(&mut template.reason);
        let mut value = about(id, template);
        value["event"] = event.into();
        value["reason"] = reason.into();
        value["message_template_category"] = template.category.as_str().into();
        if event == "REJECTED" && reason != "NONE" {
            value["rejection_info"] = json!({"reason": format!("The template was rejected: {reason}."), "recommendation": "Change it and submit it again."});
        }
        if event == "PAUSED" {
            value["other_info"] = json!({"title": "FIRST_PAUSE", "description": "Your WhatsApp message template has been paused for 3 hours until it can be sent again, because it had issues."});
        }
        if event == "DISABLED" {
            value["disable_info"] = json!({"disable_date": sim.now_ms() / 1_000});
        }
        let seen = view(id, template);
        let waba = template.waba.clone();
        self.report(sim, &state, &waba, "message_template_status_update", value);
        if event == "DELETED" {
            state.templates.remove(id);
        }
        Some(seen)
    }

    /// Another quality, told.
    pub(crate) fn requalify(&self, sim: &Arc<Sim>, id: &str, score: &str) -> Option<Value> {
        let mut state = self.state();
        let template = state.templates.get_mut(id)?;
        let before = std::mem::replace(&mut template.quality, score.to_owned());
        let mut value = about(id, template);
        (value["previous_quality_score"], value["new_quality_score"]) = (before.into(), score.into());
        let (seen, waba) = (view(id, template), template.waba.clone());
        self.report(sim, &state, &waba, "message_template_quality_update", value);
        Some(seen)
    }

    /// Another category, told when it is so.
    pub(crate) fn recategorise(&self, sim: &Arc<Sim>, id: &str, category: &str) -> Option<Value> {
        let mut state = self.state();
        let template = state.templates.get_mut(id)?;
        let before = std::mem::replace(&mut template.category, category.to_owned());
        template.previous_category = Some(before.clone());
        let mut value = about(id, template);
        (value["previous_category"], value["new_category"]) = (before.into(), category.into());
        let (seen, waba) = (view(id, template), template.waba.clone());
        self.report(sim, &state, &waba, "template_category_update", value);
        Some(seen)
    }

    /// Tells something about an account.
    pub(crate) fn report(&self, sim: &Arc<Sim>, state: &State, waba: &str, field: &str, value: Value) {
        let change = Change {
            waba: waba.to_owned(),
            number: None,
            time_s: Some(sim.now_ms().div_euclid(1_000)),
            field: field.to_owned(),
            value,
            event: field.to_owned(),
            chat: None,
        };
        self.emit(sim, state, &change);
    }
}

/// Which template. Its id is a number here, not a text.
fn about(id: &str, template: &Template) -> Value {
    json!({
        "message_template_id": id.parse::<u64>().map_or(json!(id), |id| json!(id)),
        "message_template_name": template.name,
        "message_template_language": template.language,
    })
}

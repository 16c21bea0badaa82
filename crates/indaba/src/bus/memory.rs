//! One node: the bell rings in this process only.
use super::{Bus, Ears, Hub};
use crate::db::Bell;

/// The bus of a single node.
#[derive(Default)]
pub struct Memory(Hub);

impl Bus for Memory {
    fn ring(&self, bells: Vec<Bell>) {
        for bell in &bells {
            self.0.deliver(bell.topic, &bell.key);
        }
    }

    fn listen(&self, topic: &'static str) -> Ears {
        self.0.listen(topic)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Heard;
    use super::*;

    #[tokio::test]
    async fn a_listener_hears_its_topic_and_is_told_when_it_missed_some() {
        let bus = Memory::default();
        let bell = |topic, key: &str| vec![Bell { topic, key: key.into() }];
        bus.ring(bell("jobs", "before anyone listened"));
        let (mut jobs, mut events) = (bus.listen("jobs"), bus.listen("events"));
        bus.ring(bell("jobs", "1"));
        bus.ring(bell("events", "2"));
        assert_eq!((jobs.next().await, events.next().await), (Heard::Key("1".into()), Heard::Key("2".into())));
        assert_eq!(jobs.try_next(), None);
        for key in 0..1000 {
            bus.ring(bell("jobs", &key.to_string()));
        }
        assert_eq!(jobs.next().await, Heard::Missed);
        assert_eq!(jobs.next().await, Heard::Key("744".into()));
    }
}

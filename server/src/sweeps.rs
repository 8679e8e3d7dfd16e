//! Which stops of many are under way on this server, so that their page says so. What is not
//! under way here, after a restart for instance, is told from what was stopped.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The stops of many under way, by what their agents use.
#[derive(Debug, Clone, Default)]
pub struct Sweeps(Arc<Mutex<HashMap<String, usize>>>);

/// A stop of many, under way until this is dropped.
#[derive(Debug)]
pub struct UnderWay {
    sweeps: Sweeps,
    what: String,
}

impl Sweeps {
    /// Notes that everything which uses `what` is being stopped.
    pub fn begin(&self, what: String) -> UnderWay {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(what.clone()).or_default() += 1;
        UnderWay { sweeps: self.clone(), what }
    }

    /// Whether everything which uses `what` is being stopped.
    pub fn going(&self, what: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains_key(what)
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut going = self.sweeps.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = going.get_mut(&self.what) {
            *count -= 1;
            if *count == 0 {
                going.remove(&self.what);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Sweeps;

    #[test]
    fn it_is_under_way_until_the_last_of_them_ends() {
        let sweeps = Sweeps::default();
        let (one, two) = (sweeps.begin("tool X".into()), sweeps.begin("tool X".into()));
        assert!(sweeps.going("tool X") && !sweeps.going("tool Y"));
        drop(one);
        assert!(sweeps.going("tool X"));
        drop(two);
        assert!(!sweeps.going("tool X"));
    }
}

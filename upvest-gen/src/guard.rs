//! Code of others that panics on input: its panic becomes a value, without a word on stderr.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work`; a panic in it comes back as its message.
pub(crate) fn guard<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    silence();
    GUARDED.set(true);
    let result = catch_unwind(AssertUnwindSafe(work));
    GUARDED.set(false);
    result.map_err(|panic| message(panic.as_ref()))
}

/// Keeps the hook from reporting what a guard catches; panics of other threads are reported as before.
fn silence() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let report = take_hook();
        set_hook(Box::new(move |panic| {
            if !GUARDED.get() {
                report(panic);
            }
        }));
    });
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message").to_owned()
}

#[cfg(test)]
mod tests {
    use super::guard;

    #[test]
    fn a_panic_comes_back_as_its_message() {
        assert_eq!(guard(|| 1), Ok(1));
        assert_eq!(guard(|| panic!("plain")), Err::<(), _>("plain".to_owned()));
        assert_eq!(guard(|| panic!("with {}", 1)), Err::<(), _>("with 1".to_owned()));
        assert_eq!(guard(|| std::panic::panic_any(7)), Err::<(), _>("no message".to_owned()));
    }
}

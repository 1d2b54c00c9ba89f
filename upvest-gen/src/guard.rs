//! Turns a panic in a library into an error, without a message on stderr.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work`, and returns the message of a panic as an error.
pub(crate) fn guard<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    silence();
    GUARDED.set(true);
    let result = catch_unwind(AssertUnwindSafe(work));
    GUARDED.set(false);
    result.map_err(|panic| message(panic.as_ref()))
}

/// Stops the panic hook from printing panics that a guard catches. Panics of other threads are printed as before.
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
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message")
        .to_owned()
}

#[cfg(test)]
mod tests {
    use std::panic::{catch_unwind, panic_any, set_hook, take_hook};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::guard;

    #[test]
    fn a_panic_comes_back_as_its_message_and_is_not_reported() {
        let reported = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&reported);
        let this = thread::current().id();
        set_hook(Box::new(move |_| {
            if thread::current().id() == this {
                counter.fetch_add(1, Ordering::SeqCst);
            }
        }));
        assert_eq!(guard(|| 1), Ok(1));
        assert_eq!(guard(|| panic!("plain")), Err::<(), _>("plain".to_owned()));
        assert_eq!(
            guard(|| panic!("with {}", 1)),
            Err::<(), _>("with 1".to_owned())
        );
        assert_eq!(
            guard(|| panic_any(7)),
            Err::<(), _>("no message".to_owned())
        );
        assert_eq!(reported.load(Ordering::SeqCst), 0);
        // A panic outside of a guard is printed as before.
        assert!(catch_unwind(|| panic!("outside")).is_err());
        assert_eq!(reported.load(Ordering::SeqCst), 1);
        drop(take_hook());
    }
}

//! Allocations that can fail without ending the process.
//!
//! The standard library ends the process when an allocation fails, but for the few `try_` functions that it has. What
//! runs WebAssembly must not: whatever it allocates goes through here or through those, and a failure is an
//! [`OutOfMemory`], which becomes an error like any other.

use std::alloc::{Layout, alloc};
use std::collections::HashMap;
use std::collections::TryReserveError;
use std::ffi::{CStr, c_char};
use std::fmt::{self, Display, Write};
use std::hash::{BuildHasher, Hash};
use std::ops::Deref;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering, fence};

/// An allocation failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfMemory;

impl From<TryReserveError> for OutOfMemory {
    fn from(_: TryReserveError) -> Self {
        OutOfMemory
    }
}

type Result<T> = std::result::Result<T, OutOfMemory>;

/// A value in a box.
pub fn boxed<T>(value: T) -> Result<Box<T>> {
    let layout = Layout::new::<T>();
    let place = match layout.size() {
        0 => NonNull::dangling(),
        // SAFETY: the size is not 0.
        _ => NonNull::new(unsafe { alloc(layout) }.cast::<T>()).ok_or(OutOfMemory)?,
    };
    // SAFETY: the place is a new allocation of this layout, which is what a box owns and frees; a type without a size
    // needs none.
    unsafe {
        place.write(value);
        Ok(Box::from_raw(place.as_ptr()))
    }
}

/// Whether so many bytes can be had, for what will take about as many and cannot fail piece by piece.
#[cfg(feature = "compiler")]
pub fn is_there_room(bytes: usize) -> bool {
    Vec::<u8>::new().try_reserve_exact(bytes).is_ok()
}

/// Adds an element to a vector.
pub fn push<T>(vec: &mut Vec<T>, value: T) -> Result<()> {
    vec.try_reserve(1)?;
    vec.push(value);
    Ok(())
}

/// Adds all of a slice to a vector.
pub fn extend<T: Copy>(vec: &mut Vec<T>, values: &[T]) -> Result<()> {
    vec.try_reserve(values.len())?;
    vec.extend_from_slice(values);
    Ok(())
}

/// A vector of what an iterator gives, whose length is known.
pub fn collect<T>(values: impl ExactSizeIterator<Item = T>) -> Result<Vec<T>> {
    let mut vec = Vec::new();
    vec.try_reserve_exact(values.len())?;
    vec.extend(values);
    Ok(vec)
}

/// A vector of equal elements.
pub fn repeat<T: Clone>(value: T, len: usize) -> Result<Vec<T>> {
    let mut vec = Vec::new();
    vec.try_reserve_exact(len)?;
    vec.resize(len, value);
    Ok(vec)
}

/// Adds a value to a list, before what is at this place.
pub fn insert_at<T>(list: &mut Vec<T>, place: usize, value: T) -> Result<()> {
    list.try_reserve(1)?;
    list.insert(place, value);
    Ok(())
}

/// Adds an entry to a map; gives what the key stood for before.
pub fn insert<K: Eq + Hash, V, S: BuildHasher>(
    map: &mut HashMap<K, V, S>,
    key: K,
    value: V,
) -> Result<Option<V>> {
    map.try_reserve(1)?;
    Ok(map.insert(key, value))
}

/// Text for C: bytes, and a NUL behind them.
///
/// The bytes may hold NULs of their own, since names in WebAssembly may. Then a C string ends at the first of them,
/// and whoever wants all of the text takes its length too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text(Vec<u8>);

impl Text {
    /// What displaying this gives.
    pub fn new(text: impl Display) -> Result<Text> {
        /// Writes as far as there is memory.
        struct Writer(Vec<u8>);
        impl Write for Writer {
            fn write_str(&mut self, text: &str) -> fmt::Result {
                extend(&mut self.0, text.as_bytes()).map_err(|_| fmt::Error)
            }
        }
        let mut writer = Writer(Vec::new());
        // Only the writer fails here.
        write!(writer, "{text}\0").map_err(|_| OutOfMemory)?;
        Ok(Text(writer.0))
    }

    /// A copy of these bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Text> {
        let mut copy = Vec::new();
        copy.try_reserve_exact(bytes.len() + 1)?;
        copy.extend_from_slice(bytes);
        copy.push(0);
        Ok(Text(copy))
    }

    /// The text as C sees it: up to its first NUL.
    pub fn as_c_str(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.0).unwrap_or_default()
    }

    /// The text as a pointer for C.
    pub fn as_ptr(&self) -> *const c_char {
        self.0.as_ptr().cast()
    }

    /// The text, if it was made of UTF-8, as what this library makes itself is.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }

    /// All of the text, without the NUL that ends it.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.split_last().map_or(&[], |(_, bytes)| bytes)
    }
}

impl Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.as_bytes().utf8_chunks() {
            f.write_str(chunk.valid())?;
            if !chunk.invalid().is_empty() {
                f.write_char(char::REPLACEMENT_CHARACTER)?;
            }
        }
        Ok(())
    }
}

/// A value that several own, on any threads: what `std::sync::Arc` is, whose allocation cannot fail.
pub struct Shared<T>(NonNull<Counted<T>>);

#[repr(C)]
struct Counted<T> {
    owners: AtomicUsize,
    value: T,
}

// SAFETY: as for `Arc`: owners on several threads read the value, and any of them may be the one that drops it.
unsafe impl<T: Send + Sync> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for Shared<T> {}

impl<T> Shared<T> {
    pub fn new(value: T) -> Result<Shared<T>> {
        let counted = boxed(Counted {
            owners: AtomicUsize::new(1),
            value,
        })?;
        Ok(Shared(NonNull::from(Box::leak(counted))))
    }

    /// Whether both are owners of one value.
    pub fn ptr_eq(a: &Shared<T>, b: &Shared<T>) -> bool {
        a.0 == b.0
    }

    /// Where the value is: the same for all of its owners.
    pub fn as_ptr(this: &Shared<T>) -> *const T {
        &raw const **this
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        // An owner is 8 bytes, so that no machine has memory for as many as would overflow this.
        // SAFETY: this owner keeps the value alive.
        unsafe { self.0.as_ref() }
            .owners
            .fetch_add(1, Ordering::Relaxed);
        Shared(self.0)
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: this owner keeps the value alive, and nobody has it exclusively.
        &unsafe { self.0.as_ref() }.value
    }
}

impl<T> Drop for Shared<T> {
    fn drop(&mut self) {
        // SAFETY: until this owner is counted out, the value lives.
        let owners = unsafe { self.0.as_ref() }
            .owners
            .fetch_sub(1, Ordering::Release);
        if owners != 1 {
            return;
        }
        // What other owners did with the value, on their threads, comes before it is dropped.
        fence(Ordering::Acquire);
        // SAFETY: this was the last owner, and `new` leaked a box.
        drop(unsafe { Box::from_raw(self.0.as_ptr()) });
    }
}

/// A value that others point to: it owns what a box owns, and its address never changes.
///
/// A `Box` says that nobody else has a pointer to its value, each time that it is moved. This says nothing of the kind, so
/// that pointers stay good while their owner moves, in a growing vector for instance.
pub struct Pinned<T>(NonNull<T>);

// SAFETY: as for a box.
unsafe impl<T: Send> Send for Pinned<T> {}
// SAFETY: as for a box; it gives pointers, and whoever follows them says why that is right.
unsafe impl<T: Sync> Sync for Pinned<T> {}

impl<T> Pinned<T> {
    pub fn new(value: T) -> Result<Pinned<T>> {
        Ok(Pinned(NonNull::from(Box::leak(boxed(value)?))))
    }

    pub fn as_ptr(&self) -> *mut T {
        self.0.as_ptr()
    }

    /// Gives the value up as a pointer, to be given back to [`Pinned::from_raw`].
    pub fn into_raw(self) -> *mut T {
        std::mem::ManuallyDrop::new(self).as_ptr()
    }

    /// Takes back what [`Pinned::into_raw`] gave.
    ///
    /// # Safety
    /// The pointer is of `into_raw`, and nothing else owns the value.
    pub unsafe fn from_raw(pointer: *mut T) -> Pinned<T> {
        // SAFETY: as the caller promises.
        Pinned(unsafe { NonNull::new_unchecked(pointer) })
    }
}

impl<T> Drop for Pinned<T> {
    fn drop(&mut self) {
        // SAFETY: `new` leaked a box, and this is its one owner.
        drop(unsafe { Box::from_raw(self.0.as_ptr()) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn boxes_of_any_size() {
        assert_eq!(*boxed([7u64; 100]).unwrap(), [7; 100]);
        boxed(()).unwrap();
    }

    #[test]
    fn text_ends_with_nul() {
        let text = Text::new(format_args!("{} and {}", 1, "two")).unwrap();
        assert_eq!(text.as_c_str(), c"1 and two");
        assert_eq!(text.as_bytes(), b"1 and two");
        let text = Text::from_bytes(b"a\0b").unwrap();
        assert_eq!(text.as_c_str(), c"a");
        assert_eq!(text.as_bytes(), b"a\0b");
    }

    #[test]
    fn what_is_too_large_is_no_crash() {
        assert_eq!(repeat(0u8, isize::MAX as usize), Err(OutOfMemory));
        assert_eq!(collect(0..usize::MAX >> 4), Err(OutOfMemory));
    }

    #[test]
    fn the_last_owner_drops() {
        let witness = Arc::new(());
        let shared = Shared::new(witness.clone()).unwrap();
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let shared = shared.clone();
                std::thread::spawn(move || assert!(Shared::ptr_eq(&shared.clone(), &shared)))
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(Arc::strong_count(&witness), 2);
        drop(shared);
        assert_eq!(Arc::strong_count(&witness), 1);
    }
}

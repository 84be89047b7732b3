//! The module in Inlay, through the same C functions that a host in C calls.

use std::ffi::{CStr, c_void};
use std::ptr;

use inlay::capi::*;

use crate::{ARGON2ID, Hasher, MEMORY_KIB, Outcome, PASSES, PASSWORD, SALT, Side, VERSION};

type Errors = *mut inlay_error_t;
type Pointer = unsafe extern "C" fn();

type Constructors = unsafe extern "C" fn(*mut inlay_func_t) -> Errors;
type Malloc = unsafe extern "C" fn(*mut inlay_func_t, i32, *mut i32) -> Errors;
#[rustfmt::skip]
type Hash = unsafe extern "C" fn(
    *mut inlay_func_t,
    i32, i32, i32, i32, i32, i32, i32, i32, i32, i32, i32, i32, i32, i32, i32, i32, i32, *mut i32,
) -> Errors;

fn check(error: Errors) -> Outcome<()> {
    if error.is_null() {
        return Ok(());
    }
    // SAFETY: a non-null error is ours, and its message is a string that lives as long as it.
    unsafe {
        let message = CStr::from_ptr(inlay_error_message(error))
            .to_string_lossy()
            .into_owned();
        inlay_error_delete(error);
        Err(message.into())
    }
}

pub struct Inlay {
    engine: *mut inlay_engine_t,
}

impl Inlay {
    pub fn new() -> Outcome<Self> {
        let mut engine = ptr::null_mut();
        // SAFETY: no config means the defaults.
        check(unsafe { inlay_engine_new(ptr::null(), &mut engine) })?;
        Ok(Self { engine })
    }

    fn module(&self, wasm: &[u8]) -> Outcome<*mut inlay_module_t> {
        let mut module = ptr::null_mut();
        // SAFETY: the engine is alive and the slice is readable.
        check(unsafe {
            inlay_module_compile(self.engine, wasm.as_ptr(), wasm.len(), &mut module)
        })?;
        Ok(module)
    }
}

impl Drop for Inlay {
    fn drop(&mut self) {
        // SAFETY: made by us, deleted once.
        unsafe { inlay_engine_delete(self.engine) }
    }
}

struct Instance {
    store: *mut inlay_store_t,
    memory: *mut inlay_memory_t,
    hash_func: *mut inlay_func_t,
    hash: Hash,
    password: i32,
    salt: i32,
    tag: i32,
}

/// The copy that the module leaves to the host.
unsafe extern "C" fn memcpy_big(
    _: *mut c_void,
    caller: *mut inlay_caller_t,
    to: i32,
    from: i32,
    len: i32,
    out: *mut i32,
) -> Errors {
    // SAFETY: the caller is good for this call, and the bounds are checked before the copy.
    unsafe {
        let memory = inlay_caller_memory(caller, c"c".as_ptr());
        let size = inlay_memory_size(memory);
        let (to, from, len) = (
            to as u32 as usize,
            from as u32 as usize,
            len as u32 as usize,
        );
        if to + len > size || from + len > size {
            return inlay_error_new(c"memcpy: not inside the memory".as_ptr());
        }
        let data = inlay_memory_data(memory);
        ptr::copy(data.add(from), data.add(to), len);
        *out = 0;
    }
    ptr::null_mut()
}

unsafe extern "C" fn resize_heap(
    _: *mut c_void,
    caller: *mut inlay_caller_t,
    wanted: i32,
    out: *mut i32,
) -> Errors {
    // SAFETY: as above.
    unsafe {
        let memory = inlay_caller_memory(caller, c"c".as_ptr());
        let missing = u64::from(wanted as u32).saturating_sub(inlay_memory_size(memory) as u64);
        let mut old_pages = 0;
        let error = inlay_memory_grow(memory, missing.div_ceil(65536), &mut old_pages);
        *out = i32::from(error.is_null());
        inlay_error_delete(error);
    }
    ptr::null_mut()
}

/// An export as a function pointer, checked against its signature by the library.
unsafe fn export(
    instance: *mut inlay_instance_t,
    name: &CStr,
    signature: &CStr,
) -> Outcome<(*mut inlay_func_t, Pointer)> {
    let mut pointer = None;
    // SAFETY: the instance is alive; a missing export gives NULL, which the library refuses.
    let func = unsafe { inlay_instance_func(instance, name.as_ptr()) };
    check(unsafe { inlay_func_typed(func, signature.as_ptr(), &mut pointer) })?;
    Ok((func, pointer.ok_or("no pointer")?))
}

impl Side for Inlay {
    fn compile(&self, wasm: &[u8]) -> Outcome<usize> {
        let module = self.module(wasm)?;
        let (mut code, mut len) = (ptr::null(), 0);
        // SAFETY: the module is ours and deleted once.
        unsafe {
            inlay_module_code(module, &mut code, &mut len);
            inlay_module_delete(module);
        }
        Ok(len)
    }

    fn prepare(&self, wasm: &[u8]) -> Outcome<Box<dyn Hasher>> {
        let module = self.module(wasm)?;
        let (mut store, mut linker, mut instance) =
            (ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
        // SAFETY: every handle is alive where it is used, every pointer is of the type that its
        // signature says, and what belongs to the store is used only while the store lives.
        unsafe {
            check(inlay_store_new(self.engine, ptr::null_mut(), &mut store))?;
            check(inlay_linker_new(self.engine, &mut linker))?;
            let memcpy: unsafe extern "C" fn(
                _,
                *mut inlay_caller_t,
                i32,
                i32,
                i32,
                *mut i32,
            ) -> Errors = memcpy_big;
            let resize: unsafe extern "C" fn(_, *mut inlay_caller_t, i32, *mut i32) -> Errors =
                resize_heap;
            for (name, signature, function) in [
                (c"a", c"iii:i", std::mem::transmute::<_, Pointer>(memcpy)),
                (c"b", c"i:i", std::mem::transmute::<_, Pointer>(resize)),
            ] {
                check(inlay_linker_func_typed(
                    linker,
                    c"a".as_ptr(),
                    name.as_ptr(),
                    signature.as_ptr(),
                    Some(function),
                    ptr::null_mut(),
                    None,
                ))?;
            }
            check(inlay_linker_instantiate(
                linker,
                store,
                module,
                &mut instance,
            ))?;
            inlay_linker_delete(linker);
            inlay_module_delete(module);

            let memory = inlay_instance_memory(instance, c"c".as_ptr());
            let (func, pointer) = export(instance, c"d", c":")?;
            check(std::mem::transmute::<Pointer, Constructors>(pointer)(func))?;
            let (malloc_func, pointer) = export(instance, c"f", c"i:i")?;
            let malloc = std::mem::transmute::<Pointer, Malloc>(pointer);
            let (hash_func, pointer) = export(instance, c"l", c"iiiiiiiiiiiiiiiii:i")?;
            let hash = std::mem::transmute::<Pointer, Hash>(pointer);
            let put = |bytes: &[u8]| -> Outcome<i32> {
                let mut address = 0;
                check(malloc(malloc_func, bytes.len() as i32, &mut address))?;
                assert!(address as usize + bytes.len() <= inlay_memory_size(memory));
                ptr::copy(
                    bytes.as_ptr(),
                    inlay_memory_data(memory).add(address as usize),
                    bytes.len(),
                );
                Ok(address)
            };
            let (password, salt, tag) = (put(PASSWORD)?, put(SALT)?, put(&[0; 32])?);
            Ok(Box::new(Instance {
                store,
                memory,
                hash_func,
                hash,
                password,
                salt,
                tag,
            }))
        }
    }
}

impl Hasher for Instance {
    #[rustfmt::skip]
    fn hash(&mut self) -> Outcome<[u8; 32]> {
        let (password_len, salt_len, mut code) = (PASSWORD.len() as i32, SALT.len() as i32, 0);
        // SAFETY: the store is alive, and so is all that belongs to it.
        check(unsafe {
            (self.hash)(
                self.hash_func, PASSES, MEMORY_KIB, 1, self.password, password_len, self.salt, salt_len, self.tag, 32,
                0, 0, ARGON2ID, 0, 0, 0, 0, VERSION, &mut code,
            )
        })?;
        if code != 0 {
            return Err(format!("argon2 failed with {code}").into());
        }
        let mut tag = [0; 32];
        // SAFETY: the tag's address came from the module's own malloc.
        unsafe { ptr::copy(inlay_memory_data(self.memory).add(self.tag as usize), tag.as_mut_ptr(), 32) };
        Ok(tag)
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        // SAFETY: made by us, deleted once.
        unsafe { inlay_store_delete(self.store) }
    }
}

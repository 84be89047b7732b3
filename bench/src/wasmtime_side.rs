//! The module in the `wasmtime` crate.

use wasmtime::{
    Caller, Config, Engine, Extern, Linker, Memory, Module, OptLevel, Store, TypedFunc,
};

use crate::{ARGON2ID, Hasher, MEMORY_KIB, Outcome, PASSES, PASSWORD, SALT, Side, VERSION};

pub struct Wasmtime {
    engine: Engine,
}

impl Wasmtime {
    /// With `signals`, bounds and other traps are left to the hardware where possible.
    pub fn new(signals: bool) -> Outcome<Self> {
        let mut config = Config::new();
        config.cranelift_opt_level(OptLevel::Speed);
        if !signals {
            config
                .signals_based_traps(false)
                .memory_reservation(0)
                .memory_guard_size(0);
        }
        Ok(Self {
            engine: Engine::new(&config)?,
        })
    }
}

type HashParams = (
    i32,
    i32,
    i32,
    i32,
    i32,
    i32,
    i32,
    i32,
    i32,
    i32,
    i32,
    i32,
    i32,
    i32,
    i32,
    i32,
    i32,
);

struct Instance {
    store: Store<()>,
    memory: Memory,
    hash: TypedFunc<HashParams, i32>,
    password: i32,
    salt: i32,
    tag: i32,
}

fn memory_of(caller: &mut Caller<'_, ()>) -> Memory {
    match caller.get_export("c") {
        Some(Extern::Memory(memory)) => memory,
        _ => unreachable!("argon2.wasm exports its memory as c"),
    }
}

/// The copy that the module leaves to the host. The slices check the bounds.
fn memcpy_big(mut caller: Caller<'_, ()>, to: i32, from: i32, len: i32) -> i32 {
    let memory = memory_of(&mut caller);
    let (to, from, len) = (
        to as u32 as usize,
        from as u32 as usize,
        len as u32 as usize,
    );
    memory
        .data_mut(&mut caller)
        .copy_within(from..from + len, to);
    0
}

fn resize_heap(mut caller: Caller<'_, ()>, wanted: i32) -> i32 {
    let memory = memory_of(&mut caller);
    let missing = u64::from(wanted as u32).saturating_sub(memory.data_size(&caller) as u64);
    i32::from(memory.grow(&mut caller, missing.div_ceil(65536)).is_ok())
}

impl Side for Wasmtime {
    fn compile(&self, wasm: &[u8]) -> Outcome<usize> {
        Ok(Module::new(&self.engine, wasm)?.text().len())
    }

    fn prepare(&self, wasm: &[u8]) -> Outcome<Box<dyn Hasher>> {
        let module = Module::new(&self.engine, wasm)?;
        let mut linker = Linker::new(&self.engine);
        linker.func_wrap("a", "a", memcpy_big)?;
        linker.func_wrap("a", "b", resize_heap)?;
        let mut store = Store::new(&self.engine, ());
        let instance = linker.instantiate(&mut store, &module)?;
        let memory = instance.get_memory(&mut store, "c").ok_or("no memory")?;
        instance
            .get_typed_func::<(), ()>(&mut store, "d")?
            .call(&mut store, ())?;
        let malloc = instance.get_typed_func::<i32, i32>(&mut store, "f")?;
        let hash = instance.get_typed_func(&mut store, "l")?;
        let mut put = |bytes: &[u8]| -> Outcome<i32> {
            let address = malloc.call(&mut store, bytes.len() as i32)?;
            memory.write(&mut store, address as usize, bytes)?;
            Ok(address)
        };
        let (password, salt, tag) = (put(PASSWORD)?, put(SALT)?, put(&[0; 32])?);
        Ok(Box::new(Instance {
            store,
            memory,
            hash,
            password,
            salt,
            tag,
        }))
    }
}

impl Hasher for Instance {
    fn hash(&mut self) -> Outcome<[u8; 32]> {
        let (password_len, salt_len) = (PASSWORD.len() as i32, SALT.len() as i32);
        let params = (
            PASSES,
            MEMORY_KIB,
            1,
            self.password,
            password_len,
            self.salt,
            salt_len,
            self.tag,
            32,
            0,
            0,
            ARGON2ID,
            0,
            0,
            0,
            0,
            VERSION,
        );
        let code = self.hash.call(&mut self.store, params)?;
        if code != 0 {
            return Err(format!("argon2 failed with {code}").into());
        }
        let mut tag = [0; 32];
        self.memory.read(&self.store, self.tag as usize, &mut tag)?;
        Ok(tag)
    }
}

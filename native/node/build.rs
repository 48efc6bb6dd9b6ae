//! Tells the linker what an N-API addon needs.

fn main() {
    napi_build::setup();
}

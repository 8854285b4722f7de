use callboard_bus::module;

struct A;
#[module(nam = "a")]
impl A {}

struct B;
#[module(name = "b", protocols(RequestResponse, Telepathy))]
impl B {}

struct C;
#[module(name = "c", security_level = Secret)]
impl C {}

struct D;
#[module]
impl D {}

struct E;
#[module(name = "a b")]
impl E {}

struct F;
#[module(name = "f", version = "one")]
impl F {}

struct G;
#[module(name = "g", requires("storage.put@^1", "put"))]
impl G {}

struct H;
#[module(name = "h", publishes("orders.*"))]
impl H {}

struct I;
#[module(name = "i", replicas = 0)]
impl I {}

struct J<T>(T);
#[module(name = "j")]
impl<T> J<T> {}

fn main() {}

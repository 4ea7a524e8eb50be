// Passes plan for the CPU that the module describes, then for what they are told.

// RUN: split-file %s %t
// RUN: polyattn-opt %t/avx2.mlir -attn-lower-to-vector | FileCheck %s --check-prefix=AVX2
// RUN: polyattn-opt %t/avx2.mlir -attn-lower-to-vector=target=avx512 | FileCheck %s --check-prefix=AVX512
// RUN: polyattn-opt %t/tiles.mlir -attn-lower-to-vector | FileCheck %s --check-prefix=TILES
// RUN: polyattn-opt %t/tiles.mlir -attn-lower-to-vector=target=avx512 | FileCheck %s --check-prefix=NO-TILES
// RUN: polyattn-opt %t/tiny.mlir -attn-lower-to-vector | FileCheck %s --check-prefix=TINY
// RUN: polyattn-opt %t/long.mlir -attn-lower-to-vector | FileCheck %s --check-prefix=LONG
// RUN: not polyattn-opt %t/width.mlir -attn-schedule 2>&1 | FileCheck %s --check-prefix=WIDTH
// RUN: not polyattn-opt %t/power.mlir -attn-lower-to-vector 2>&1 | FileCheck %s --check-prefix=POWER
// RUN: not polyattn-opt %t/flag.mlir -attn-approximate 2>&1 | FileCheck %s --check-prefix=FLAG

// A cache of half the size holds tiles of half the size.
// AVX2-LABEL: func @main
// AVX2-NOT: vector<16xf32>
// AVX2: memref.alloc() {{.*}} : memref<33x32xf32>
// AVX2: vector.fma {{.*}} : vector<8xf32>
// However small the cache, blocks have 48 keys at least, and however long
// vectors are, a square of lanes.
// TINY: memref.alloc() {{.*}} : memref<48x64xf32>
// LONG: memref.alloc() {{.*}} : memref<66x256xf32>
// AVX512: vector.fma {{.*}} : vector<16xf32>
// TILES: amx.tile_mulf
// NO-TILES-NOT: amx.
// WIDTH: width.mlir:1:1: error: target_system_spec: "max_vector_op_width" must be a number from 64 to 2048, not 24
// POWER: power.mlir:1:1: error: target_system_spec: "max_vector_op_width" must be a power of two
// FLAG: flag.mlir:1:1: error: target_system_spec: "bf16_tiles" must be true or false

//--- avx2.mlir
module attributes {dlti.target_system_spec = #dlti.target_system_spec<"CPU" = #dlti.target_device_spec<
    "max_vector_op_width" = 256 : i64, "vector_registers" = 16 : i64, "L1_cache_size_in_bytes" = 24576 : i64>>} {
  func.func @main(%q: tensor<4x4096x32xf32>, %k: tensor<4x4096x32xf32>, %v: tensor<4x4096x32xf32>) -> tensor<4x4096x32xf32> {
    %o = attn.attention %q, %k, %v scale 0.125 : tensor<4x4096x32xf32>, tensor<4x4096x32xf32>, tensor<4x4096x32xf32> -> tensor<4x4096x32xf32>
    return %o : tensor<4x4096x32xf32>
  }
}
//--- long.mlir
module attributes {dlti.target_system_spec = #dlti.target_system_spec<"CPU" = #dlti.target_device_spec<
    "max_vector_op_width" = 2048 : i64, "vector_registers" = 32 : i64, "L1_cache_size_in_bytes" = 49152 : i64>>} {
  func.func @main(%q: tensor<4x4096x128xf32>, %k: tensor<4x4096x128xf32>, %v: tensor<4x4096x128xf32>) -> tensor<4x4096x128xf32> {
    %o = attn.attention %q, %k, %v scale 0.125 : tensor<4x4096x128xf32>, tensor<4x4096x128xf32>, tensor<4x4096x128xf32> -> tensor<4x4096x128xf32>
    return %o : tensor<4x4096x128xf32>
  }
}
//--- tiny.mlir
module attributes {dlti.target_system_spec = #dlti.target_system_spec<"CPU" = #dlti.target_device_spec<
    "max_vector_op_width" = 512 : i64, "vector_registers" = 32 : i64, "L1_cache_size_in_bytes" = 1024 : i64>>} {
  func.func @main(%q: tensor<4x4096x32xf32>, %k: tensor<4x4096x32xf32>, %v: tensor<4x4096x32xf32>) -> tensor<4x4096x32xf32> {
    %o = attn.attention %q, %k, %v scale 0.125 : tensor<4x4096x32xf32>, tensor<4x4096x32xf32>, tensor<4x4096x32xf32> -> tensor<4x4096x32xf32>
    return %o : tensor<4x4096x32xf32>
  }
}
//--- tiles.mlir
module attributes {dlti.target_system_spec = #dlti.target_system_spec<"CPU" = #dlti.target_device_spec<
    "max_vector_op_width" = 512 : i64, "vector_registers" = 32 : i64, "bf16_tiles" = true>>} {
  func.func @main(%q: tensor<?x64xbf16>, %k: tensor<?x64xbf16>, %v: tensor<?x64xbf16>) -> tensor<?x64xbf16> {
    %o = attn.attention %q, %k, %v scale 0.125 : tensor<?x64xbf16>, tensor<?x64xbf16>, tensor<?x64xbf16> -> tensor<?x64xbf16>
    return %o : tensor<?x64xbf16>
  }
}
//--- width.mlir
module attributes {dlti.target_system_spec = #dlti.target_system_spec<"CPU" = #dlti.target_device_spec<"max_vector_op_width" = 24>>} {}
//--- power.mlir
module attributes {dlti.target_system_spec = #dlti.target_system_spec<"CPU" = #dlti.target_device_spec<"max_vector_op_width" = 96>>} {}
//--- flag.mlir
module attributes {dlti.target_system_spec = #dlti.target_system_spec<"CPU" = #dlti.target_device_spec<"bf16_tiles" = 1>>} {}

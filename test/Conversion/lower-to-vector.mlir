// RUN: polyattn-opt %s -split-input-file -pass-pipeline='builtin.module(attn-lower-to-vector{target=avx512})' | FileCheck %s --check-prefixes=CHECK,WIDE
// RUN: polyattn-opt %s -split-input-file -pass-pipeline='builtin.module(attn-lower-to-vector{target=avx2})' | FileCheck %s --check-prefixes=CHECK,NARROW

// Scores and weighted values are the same register block: 6 rows, 4 vectors
// wide with 32 registers and 2 with 16. Nothing of size n x m is allocated.

// CHECK-LABEL: func.func @direct
// WIDE-NOT: memref<{{.*}}1000{{.*}}xf32> {alignment
// CHECK: scf.parallel
// WIDE: scf.for {{.*}} -> (vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>,
// WIDE-COUNT-24: vector.fma
// NARROW: scf.for {{.*}} -> (vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>,
// NARROW-COUNT-12: vector.fma
// exp2 by exponent bits, no call
// CHECK: arith.shli
// CHECK-NOT: math.exp
// CHECK: bufferization.to_tensor
func.func @direct(%q: tensor<2x1000x64xf32>, %k: tensor<2x1000x64xf32>, %v: tensor<2x1000x64xf32>)
    -> tensor<2x1000x64xf32> {
  %o = attn.attention %q, %k, %v scale 0.125 : tensor<2x1000x64xf32>, tensor<2x1000x64xf32>, tensor<2x1000x64xf32> -> tensor<2x1000x64xf32>
  return %o : tensor<2x1000x64xf32>
}

// -----

// With a proved bound there is no running maximum to raise; with a small one no
// range reduction either.

// CHECK-LABEL: func.func @bounded
// CHECK-NOT: vector.reduction
// CHECK: arith.shli
// CHECK-NOT: vector.reduction
// CHECK: bufferization.to_tensor
func.func @bounded(%q: tensor<1000x64xf32>, %k: tensor<1000x64xf32>, %v: tensor<1000x64xf32>) -> tensor<1000x64xf32> {
  %o = attn.attention %q, %k, %v scale 0.125 bound <15.0, proved> : tensor<1000x64xf32>, tensor<1000x64xf32>, tensor<1000x64xf32> -> tensor<1000x64xf32>
  return %o : tensor<1000x64xf32>
}

// CHECK-LABEL: func.func @small
// CHECK-NOT: vector.reduction
// CHECK-NOT: arith.shli
// CHECK: bufferization.to_tensor
func.func @small(%q: tensor<1000x64xf32>, %k: tensor<1000x64xf32>, %v: tensor<1000x64xf32>) -> tensor<1000x64xf32> {
  %o = attn.attention %q, %k, %v scale 0.125 bound <0.5, proved> : tensor<1000x64xf32>, tensor<1000x64xf32>, tensor<1000x64xf32> -> tensor<1000x64xf32>
  return %o : tensor<1000x64xf32>
}

// A bound that is only declared changes nothing.
// CHECK-LABEL: func.func @declared
// CHECK: vector.reduction <or>
func.func @declared(%q: tensor<1000x64xf32>, %k: tensor<1000x64xf32>, %v: tensor<1000x64xf32>) -> tensor<1000x64xf32> {
  %o = attn.attention %q, %k, %v scale 0.125 bound <0.5, declared> : tensor<1000x64xf32>, tensor<1000x64xf32>, tensor<1000x64xf32> -> tensor<1000x64xf32>
  return %o : tensor<1000x64xf32>
}

// -----

// One query: lanes are dimensions and keys. The heads that share keys meet them
// together.

// CHECK-LABEL: func.func @decode
// CHECK: memref.alloc(%{{.*}}) {{.*}} : memref<?x64xf32>
// CHECK-NOT: memref<{{.*}}x64x64xf32>
// CHECK: bufferization.to_tensor
func.func @decode(%q: tensor<8x1x64xf32>, %k: tensor<2x?x64xf32>, %v: tensor<2x?x64xf32>) -> tensor<8x1x64xf32> {
  %o = attn.attention %q, %k, %v scale 0.125 : tensor<8x1x64xf32>, tensor<2x?x64xf32>, tensor<2x?x64xf32> -> tensor<8x1x64xf32>
  return %o : tensor<8x1x64xf32>
}

// -----

// The state: monomials of degree 2 in 4 variables are 15, padded to whole
// register blocks with factors of index 0 and weight 0. Three parallel steps:
// update, sum of the partial states, apply.

// CHECK-DAG: memref.global "private" constant @attn_weights
// CHECK-DAG: memref.global "private" constant @attn_monomials
// CHECK-LABEL: func.func @state
// CHECK-COUNT-3: scf.parallel
// CHECK-NOT: scf.parallel
// CHECK: bufferization.to_tensor
func.func @state(%q: tensor<2x1000x4xf32>, %k: tensor<2x1000x4xf32>, %v: tensor<2x1000x4xf32>) -> tensor<2x1000x4xf32> {
  %o = attn.attention %q, %k, %v scale 0.5 kernel poly<[1.0, 1.0, 0.5]> evaluate state : tensor<2x1000x4xf32>, tensor<2x1000x4xf32>, tensor<2x1000x4xf32> -> tensor<2x1000x4xf32>
  return %o : tensor<2x1000x4xf32>
}

// -----

// Degree 1 uses rows where they lie: nothing is transposed in the update and
// the apply. Lanes are shuffled only to sum them for the denominators.

// CHECK-LABEL: func.func @linear_state
// CHECK: scf.parallel
// CHECK-NOT: vector.shuffle
// WIDE: scf.for {{.*}} -> (vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>,
// WIDE-COUNT-24: vector.fma
// NARROW: scf.for {{.*}} -> (vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>,
// NARROW-COUNT-12: vector.fma
// CHECK-NOT: vector.shuffle
// The partial states' sum and the apply.
// CHECK-COUNT-2: scf.parallel
// WIDE-COUNT-30: vector.shuffle
// NARROW-COUNT-14: vector.shuffle
// CHECK-NOT: vector.shuffle
// CHECK: arith.divf
// CHECK-NOT: vector.shuffle
// CHECK-NOT: arith.divf
// CHECK: bufferization.to_tensor
func.func @linear_state(%q: tensor<2x1000x64xf32>, %k: tensor<2x1000x64xf32>, %v: tensor<2x1000x64xf32>) -> tensor<2x1000x64xf32> {
  %o = attn.attention %q, %k, %v scale 0.125 kernel poly<[1.0, 1.0]> evaluate state : tensor<2x1000x64xf32>, tensor<2x1000x64xf32>, tensor<2x1000x64xf32> -> tensor<2x1000x64xf32>
  return %o : tensor<2x1000x64xf32>
}

// -----

// Two attentions of the same sizes share their tables.

// CHECK-COUNT-2: memref.global
// CHECK-NOT: memref.global
// CHECK-LABEL: func.func @shared_tables
func.func @shared_tables(%q: tensor<200x4xf32>, %k: tensor<200x4xf32>, %v: tensor<200x4xf32>) -> (tensor<200x4xf32>, tensor<200x4xf32>) {
  %a = attn.attention %q, %k, %v scale 0.5 kernel poly<[1.0, 1.0, 0.5]> evaluate state : tensor<200x4xf32>, tensor<200x4xf32>, tensor<200x4xf32> -> tensor<200x4xf32>
  %b = attn.attention %k, %q, %v scale 0.5 kernel poly<[1.0, 1.0, 0.5]> evaluate state : tensor<200x4xf32>, tensor<200x4xf32>, tensor<200x4xf32> -> tensor<200x4xf32>
  return %a, %b : tensor<200x4xf32>, tensor<200x4xf32>
}

// -----

// A causal state: batches of chunks, each with update, sums and apply. A
// polynomial needs no exponential and no running maximum. Blocks are as long
// as chunks.

// CHECK-LABEL: func.func @causal_state
// CHECK: scf.while
// CHECK-COUNT-3: scf.parallel
// CHECK-NOT: scf.parallel
// CHECK-NOT: arith.shli
// CHECK: bufferization.to_tensor
func.func @causal_state(%q: tensor<1x?x8xf32>, %k: tensor<1x?x8xf32>, %v: tensor<1x?x8xf32>) -> tensor<1x?x8xf32> {
  %o = attn.attention %q, %k, %v scale 0.5 kernel poly<[1.0, 1.0]> mask causal evaluate state : tensor<1x?x8xf32>, tensor<1x?x8xf32>, tensor<1x?x8xf32> -> tensor<1x?x8xf32>
  return %o : tensor<1x?x8xf32>
}

// -----

// A sliding window does the same, and looks first how many keys chunks share:
// blocks are so long that those of a chunk fit the memory. Sums run forwards
// from the pivot and backwards to it, where the places of blocks are written
// again; nothing is subtracted from a state. What lies beside the blocks on
// both edges is one loop of two rounds.

// CHECK-LABEL: func.func @window_state
// CHECK: %[[MOST:.*]] = scf.for {{.*}} -> (index)
// CHECK: arith.divui
// CHECK: scf.while
// CHECK-COUNT-2: scf.parallel
// CHECK-NOT: arith.subf
// CHECK: scf.parallel
// CHECK-NOT: scf.parallel
// CHECK: bufferization.to_tensor
func.func @window_state(%q: tensor<1x?x8xf32>, %k: tensor<1x?x8xf32>, %v: tensor<1x?x8xf32>) -> tensor<1x?x8xf32> {
  %o = attn.attention %q, %k, %v scale 0.5 kernel poly<[1.0, 1.0]> mask sliding_window<left = 900, right = 100> evaluate state : tensor<1x?x8xf32>, tensor<1x?x8xf32>, tensor<1x?x8xf32> -> tensor<1x?x8xf32>
  return %o : tensor<1x?x8xf32>
}

// -----

// Under a mask with steps chunks of queries and blocks of keys end where scales
// do, long ones in pieces: every chunk but the first, which is two small scales,
// and that of 30, which is too short for a block, finds all its keys in a state.
// The last one goes on with whatever follows. Nothing depends on the lengths.

// CHECK-DAG: memref.global "private" constant @attn_blocks : memref<5x1xi64> = dense<{{\[\[}}0], [210], [594], [1106], [1510{{\]\]}}>
// CHECK-DAG: memref.global "private" constant @attn_chunks : memref<5x3xi64> = dense<{{\[\[}}{{-[0-9]+}}, 0, 0], [10, 1, {{[0-9]+}}], [210, 4, {{[0-9]+}}], [1510, 4, {{[0-9]+}}], [1540, -1, {{[0-9]+\]\]}}>
// CHECK-LABEL: func.func @scales_state
// CHECK: scf.while
// CHECK-COUNT-3: scf.parallel
// CHECK-NOT: scf.parallel
// CHECK: bufferization.to_tensor
func.func @scales_state(%q: tensor<1x?x8xf32>, %k: tensor<1x?x8xf32>, %v: tensor<1x?x8xf32>) -> tensor<1x?x8xf32> {
  %o = attn.attention %q, %k, %v scale 0.5 kernel poly<[1.0, 1.0]> mask block_causal<scales = [1, 9, 200, 1300, 30, 40]> evaluate state : tensor<1x?x8xf32>, tensor<1x?x8xf32>, tensor<1x?x8xf32> -> tensor<1x?x8xf32>
  return %o : tensor<1x?x8xf32>
}

// -----

// Tiles of direct evaluation begin where scales do.

// WIDE: memref.global "private" constant @attn_tiles : memref<4x2xi64> = dense<{{\[\[}}0, 0], [10, 1], [74, 1], [110, 2{{\]\]}}>
// CHECK-LABEL: func.func @scales_direct
// CHECK: scf.parallel
func.func @scales_direct(%q: tensor<1x310x8xf32>, %k: tensor<1x310x8xf32>, %v: tensor<1x310x8xf32>) -> tensor<1x310x8xf32> {
  %o = attn.attention %q, %k, %v scale 0.5 mask block_causal<scales = [1, 9, 100, 200]> : tensor<1x310x8xf32>, tensor<1x310x8xf32>, tensor<1x310x8xf32> -> tensor<1x310x8xf32>
  return %o : tensor<1x310x8xf32>
}

// -----

// Sizes that only the run decides are checked before anything is read.

// CHECK-LABEL: func.func @dynamic
// CHECK-DAG: cf.assert {{.*}} "attn: dimension 0 of query must be a multiple of dimension 0 of key"
// CHECK-DAG: cf.assert {{.*}} "attn: dimension 1 of value must equal dimension 1 of key"
// CHECK: scf.parallel
func.func @dynamic(%q: tensor<?x?x8xf32>, %k: tensor<?x?x8xf32>, %v: tensor<?x?x8xf32>) -> tensor<?x?x8xf32> {
  %o = attn.attention %q, %k, %v scale 0.5 : tensor<?x?x8xf32>, tensor<?x?x8xf32>, tensor<?x?x8xf32> -> tensor<?x?x8xf32>
  return %o : tensor<?x?x8xf32>
}

// -----

// CHECK-LABEL: func.func @bound
// CHECK-COUNT-1: scf.parallel
// CHECK-NOT: scf.parallel
// CHECK: arith.cmpf ole
// CHECK-NOT: attn.check_bound
func.func @bound(%q: tensor<2x100x64xf32>, %k: tensor<2x100x64xf32>) -> i1 {
  %ok = attn.check_bound %q, %k scale 0.125 bound 0.5 max_norm 1.0e9 : tensor<2x100x64xf32>, tensor<2x100x64xf32>
  return %ok : i1
}

// -----

// However long vectors are, a tile has one block of queries.
// CHECK-LABEL: func.func @very_long_vectors
//        WIDE:   memref.alloc() {{.*}} : memref<5009x64xf32>
//      NARROW:   memref.alloc() {{.*}} : memref<5001x16xf32>
func.func @very_long_vectors(%x: tensor<1x128x5000xf32>) -> tensor<1x128x5000xf32> {
  %o = attn.attention %x, %x, %x scale 0.01
     : tensor<1x128x5000xf32>, tensor<1x128x5000xf32>, tensor<1x128x5000xf32> -> tensor<1x128x5000xf32>
  return %o : tensor<1x128x5000xf32>
}

// -----

// Rows without columns are no reason to stop.
// CHECK-LABEL: func.func @empty_rows
//   CHECK-NOT:   attn.check_bound
func.func @empty_rows(%x: tensor<2x?x0xf32>) -> i1 {
  %ok = attn.check_bound %x, %x scale 0.25 bound 1.0 max_norm 1.0e9 : tensor<2x?x0xf32>, tensor<2x?x0xf32>
  return %ok : i1
}

// The check of moments runs only where norms keep within the bound.
// CHECK-LABEL: func.func @moments(
// CHECK: %[[NORMS:.*]] = scf.for
// CHECK: scf.if %{{.*}} -> (i1)
// CHECK: vector.fma
// CHECK: vector.reduction <maximumf>
// CHECK-NOT: attn.
func.func @moments(%q: tensor<4x?x64xbf16>, %k: tensor<2x?x64xbf16>) -> i1 {
  %c = attn.center_keys %k : tensor<2x?x64xbf16>
  %0 = attn.check_bound %q, %c scale 0.125 bound 0.5 max_norm 1.0e9 second_moment 0.1 mean 0.1 : tensor<4x?x64xbf16>, tensor<2x?x64xbf16>
  return %0 : i1
}

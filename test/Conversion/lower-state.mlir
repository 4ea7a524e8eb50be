// RUN: polyattn-opt %s --attn-lower-to-vector=target=avx512 | FileCheck %s
// RUN: polyattn-opt %s --attn-lower-to-vector=target=avx2 | FileCheck %s --check-prefix=AVX2
// RUN: polyattn-opt %s --attn-lower-to-reference | FileCheck %s --check-prefix=REFERENCE

// REFERENCE-NOT: attn.

// Rows of 33 are taken five at a time, with four vectors of features each: 20
// accumulators, which a block of tokens adds its keys to and reads.
// CHECK-LABEL: @step
// CHECK-NOT: attn.
// CHECK: memref.alloc() {{.*}} : memref<8x33x561xf32>
// CHECK: scf.parallel
// CHECK: %{{.*}}:20 = scf.for
// CHECK-COUNT-20: vector.fma
// CHECK: vector.store
// AVX2-LABEL: @step
// AVX2: %{{.*}}:10 = scf.for
// One token after another, each on the state that the one before left.
// REFERENCE-LABEL: @step
// REFERENCE: scf.for {{.*}} iter_args(%{{.*}} = %{{.*}}, %{{.*}} = %{{.*}}) -> (tensor<8x?x32xf32>, tensor<8x33x561xf32>)
func.func @step(%q: tensor<8x?x32xf32>, %k: tensor<8x?x32xf32>, %v: tensor<8x?x32xf32>, %s: tensor<8x33x561xf32>)
    -> (tensor<8x?x32xf32>, tensor<8x33x561xf32>) {
  %o, %next = attn.state_step %q keys(%k : tensor<8x?x32xf32>) values(%v : tensor<8x?x32xf32>)
    states(%s : tensor<8x33x561xf32>) scale 0.25 kernel poly<[1.0, 1.0, 0.5]> : tensor<8x?x32xf32>
  return %o, %next : tensor<8x?x32xf32>, tensor<8x33x561xf32>
}

// Nothing is divided, and no state is written.
// CHECK-LABEL: @apply
// CHECK-NOT: memref.alloc() {{.*}} : memref<2x6x45xf64>
// CHECK: vector.fma {{.*}} : vector<16xf64>
// CHECK-NOT: arith.divf
// CHECK: arith.truncf {{.*}} : vector<16xf64> to vector<16xbf16>
// CHECK: return
func.func @apply(%q: tensor<4x9x8xbf16>, %s: tensor<2x6x45xf64>) -> tensor<4x9x5xbf16> {
  %o = attn.state_apply %q states(%s, %s : tensor<2x6x45xf64>, tensor<2x6x45xf64>) scale 1.0 kernel poly<[1.0, 1.0]> unnormalised
    : tensor<4x9x8xbf16>
  return %o : tensor<4x9x5xbf16>
}

// Nobody reads: no features of queries, no sums over features.
// CHECK-LABEL: @update
// CHECK: scf.parallel
// CHECK: vector.fma
// CHECK-NOT: vector.reduction
// CHECK: return
func.func @update(%s: tensor<33x561xf32>, %k: tensor<?x32xf16>, %w: tensor<?xf32>) -> tensor<33x561xf32> {
  %next = attn.state_update %s, %k, %k key_weights(%w : tensor<?xf32>) : tensor<33x561xf32>, tensor<?x32xf16>, tensor<?x32xf16>
  return %next : tensor<33x561xf32>
}

// A state that goes back to where it came from stays there: no memory for another one, no copy.
// CHECK-LABEL: @in_place
// CHECK-SAME: %[[M:[a-z0-9]*]]: memref<8x33x561xf32>)
// CHECK-NOT: memref<8x33x561xf32> to tensor
// CHECK-NOT: memref.alloc() {{.*}} : memref<8x33x561xf32>
// CHECK: scf.parallel
// CHECK: vector.load %[[M]]
// CHECK: vector.store {{.*}}, %[[M]]
// CHECK-NOT: materialize_in_destination
// CHECK: return
func.func @in_place(%q: tensor<8x?x32xf32>, %k: tensor<8x?x32xf32>, %v: tensor<8x?x32xf32>, %m: memref<8x33x561xf32>)
    -> tensor<8x?x32xf32> {
  %s = bufferization.to_tensor %m restrict writable : memref<8x33x561xf32> to tensor<8x33x561xf32>
  %o, %next = attn.state_step %q keys(%k : tensor<8x?x32xf32>) values(%v : tensor<8x?x32xf32>)
    states(%s : tensor<8x33x561xf32>) scale 0.25 kernel poly<[1.0, 1.0, 0.5]> : tensor<8x?x32xf32>
  bufferization.materialize_in_destination %next in restrict writable %m : (tensor<8x33x561xf32>, memref<8x33x561xf32>) -> ()
  return %o : tensor<8x?x32xf32>
}

// Somebody reads the memory before it may change.
// CHECK-LABEL: @read_after
// CHECK: memref.alloc() {{.*}} : memref<33x561xf32>
// CHECK: memref.load
// CHECK: materialize_in_destination
func.func @read_after(%k: tensor<?x32xf32>, %m: memref<33x561xf32>) -> f32 {
  %zero = arith.constant 0 : index
  %s = bufferization.to_tensor %m restrict writable : memref<33x561xf32> to tensor<33x561xf32>
  %next = attn.state_update %s, %k, %k : tensor<33x561xf32>, tensor<?x32xf32>, tensor<?x32xf32>
  %x = memref.load %m[%zero, %zero] : memref<33x561xf32>
  bufferization.materialize_in_destination %next in restrict writable %m : (tensor<33x561xf32>, memref<33x561xf32>) -> ()
  return %x : f32
}

// So it is where the state before is still wanted.
// CHECK-LABEL: @used_twice
// CHECK: memref.alloc() {{.*}} : memref<33x561xf32>
// CHECK: materialize_in_destination
func.func @used_twice(%k: tensor<?x32xf32>, %m: memref<33x561xf32>) -> tensor<33x561xf32> {
  %s = bufferization.to_tensor %m restrict writable : memref<33x561xf32> to tensor<33x561xf32>
  %next = attn.state_update %s, %k, %k : tensor<33x561xf32>, tensor<?x32xf32>, tensor<?x32xf32>
  bufferization.materialize_in_destination %next in restrict writable %m : (tensor<33x561xf32>, memref<33x561xf32>) -> ()
  return %s : tensor<33x561xf32>
}

// One key head on eight cores: its 32 columns in two parts of whole vectors, each with a sum of weights of its own.
// CHECK-LABEL: @one_head
// CHECK: memref.alloc() {{.*}} : memref<1x2x561xf32>
// CHECK: scf.parallel
// Eleven columns have none.
// CHECK-LABEL: @odd_columns
// CHECK-NOT: memref<1x2x
// CHECK: return
func.func @one_head(%k: tensor<1x?x32xf32>, %s: tensor<1x33x561xf32>) -> tensor<1x33x561xf32> {
  %next = attn.state_update %s, %k, %k : tensor<1x33x561xf32>, tensor<1x?x32xf32>, tensor<1x?x32xf32>
  return %next : tensor<1x33x561xf32>
}
func.func @odd_columns(%k: tensor<1x?x11xf32>, %s: tensor<1x12x78xf32>) -> tensor<1x12x78xf32> {
  %next = attn.state_update %s, %k, %k : tensor<1x12x78xf32>, tensor<1x?x11xf32>, tensor<1x?x11xf32>
  return %next : tensor<1x12x78xf32>
}

// Left to the reference.
// CHECK-LABEL: @double
// CHECK: attn.state_update
func.func @double(%s: tensor<33x561xf64>, %k: tensor<?x32xf64>) -> tensor<33x561xf64> {
  %next = attn.state_update %s, %k, %k : tensor<33x561xf64>, tensor<?x32xf64>, tensor<?x32xf64>
  return %next : tensor<33x561xf64>
}

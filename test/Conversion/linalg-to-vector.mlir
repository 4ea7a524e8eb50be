// RUN: polyattn-opt %s -pass-pipeline='builtin.module(attn-linalg-to-vector{target=avx512},canonicalize,cse)' | FileCheck %s
// RUN: polyattn-opt %s -pass-pipeline='builtin.module(attn-linalg-to-vector{target=avx2},canonicalize,cse)' | FileCheck %s --check-prefix=AVX2
// RUN: polyattn-opt %s -attn-linalg-to-vector -remarks-filter=polyattn 2>&1 >/dev/null | FileCheck %s --check-prefix=REMARK
// RUN: not polyattn-opt %s -pass-pipeline='builtin.module(attn-linalg-to-vector{target=z80})' 2>&1 | FileCheck %s --check-prefix=TARGET

// TARGET: error: unknown target 'z80'

#ij = affine_map<(i, j) -> (i, j)>
#i = affine_map<(i, j) -> (i)>
#j = affine_map<(i, j) -> (j)>
#ji = affine_map<(i, j) -> (j, i)>

// What belongs to a row is computed before its lanes. 40 columns are two and a
// half vectors.
// REMARK: [Analysis] VectorLoops | {{.*}}loop 1 of 'linalg.generic' runs over lanes
// CHECK-LABEL: func.func @rows
// CHECK: %[[ROW:.*]] = memref.load %arg1
// CHECK: %[[ROOT:.*]] = math.sqrt %[[ROW]] : f32
// CHECK: scf.for {{.*}} step %c16
// CHECK: vector.load %arg0{{.*}} vector<16xf32>
// CHECK: vector.load %arg2{{.*}} vector<16xf32>
// CHECK: vector.broadcast %[[ROOT]]
// CHECK: vector.store
// CHECK: %[[MASK:.*]] = vector.constant_mask [8]
// CHECK: vector.maskedload %arg0{{.*}}, %[[MASK]]
// CHECK: vector.maskedstore
// AVX2-LABEL: func.func @rows
// AVX2: vector<8xf32>
// AVX2-NOT: mask
// AVX2-LABEL: func.func @sum
func.func @rows(%a: memref<64x40xf32>, %r: memref<64xf32>, %c: memref<40xf32>, %out: memref<64x40xf32>) {
  linalg.generic {indexing_maps = [#ij, #i, #j, #ij], iterator_types = ["parallel", "parallel"]} ins(%a, %r, %c : memref<64x40xf32>, memref<64xf32>, memref<40xf32>) outs(%out : memref<64x40xf32>) {
  ^bb0(%p: f32, %q: f32, %s: f32, %o: f32):
    %root = math.sqrt %q : f32
    %t = arith.mulf %p, %root : f32
    %u = arith.addf %t, %s : f32
    linalg.yield %u : f32
  }
  return
}

// A sum along the lanes: four vectors at a time, then what is left, then one
// number. Rows go to threads if there is enough to do.
// REMARK: [Analysis] VectorLoops | {{.*}}loop 1 of 'linalg.generic' runs over lanes
// CHECK-LABEL: func.func @sum
// CHECK: %[[ENOUGH:.*]] = arith.cmpi sgt
// CHECK: %[[SHARES:.*]] = arith.select %[[ENOUGH]], {{.*}}, %c1
// CHECK: scf.parallel (%{{.*}}) = (%c0) to (%[[SHARES]])
// CHECK: scf.for {{.*}} step %c64 iter_args({{.*}}, {{.*}}, {{.*}}, {{.*}}) -> (vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>)
// CHECK-COUNT-4: vector.load
// CHECK: scf.yield
// CHECK: scf.for
// CHECK: arith.select
// CHECK: vector.reduction <add>, {{.*}} fastmath<reassoc>
// CHECK: memref.store
func.func @sum(%a: memref<64x?xf32>, %out: memref<64xf32>) {
  linalg.generic {indexing_maps = [#ij, #i], iterator_types = ["parallel", "reduction"]} ins(%a : memref<64x?xf32>) outs(%out : memref<64xf32>) {
  ^bb0(%p: f32, %o: f32):
    %s = arith.addf %o, %p : f32
    linalg.yield %s : f32
  }
  return
}

// A sum over the outer dimension: lanes are what is not summed.
// REMARK: [Analysis] VectorLoops | {{.*}}loop 1 of 'linalg.generic' runs over lanes
// CHECK-LABEL: func.func @column_sum
// CHECK-NOT: vector.reduction
// CHECK: vector.load %arg0
// CHECK: vector.load %arg1
// CHECK: arith.maximumf
// CHECK: vector.store {{.*}}, %arg1
func.func @column_sum(%a: memref<64x32xf32>, %out: memref<32xf32>) {
  linalg.generic {indexing_maps = [#ij, #j], iterator_types = ["reduction", "parallel"]} ins(%a : memref<64x32xf32>) outs(%out : memref<32xf32>) {
  ^bb0(%p: f32, %o: f32):
    %s = arith.maximumf %o, %p : f32
    linalg.yield %s : f32
  }
  return
}

// Elements of a row of the table are adjacent, its row is the same in all lanes,
// and so is the assertion.
// REMARK: [Analysis] VectorLoops | {{.*}}loop 1 of 'linalg.generic' runs over lanes
// CHECK-LABEL: func.func @gather
// CHECK: cf.assert
// CHECK: scf.for
// CHECK: vector.load %arg1
// CHECK-NOT: cf.assert
func.func @gather(%ids: memref<64xindex>, %table: memref<100x32xf32>, %out: memref<64x32xf32>) {
  %c100 = arith.constant 100 : index
  linalg.generic {indexing_maps = [#i, #ij], iterator_types = ["parallel", "parallel"]} ins(%ids : memref<64xindex>) outs(%out : memref<64x32xf32>) {
  ^bb0(%p: index, %o: f32):
    %ok = arith.cmpi ult, %p, %c100 : index
    cf.assert %ok, "out of range"
    %j = linalg.index 1 : index
    %x = memref.load %table[%p, %j] : memref<100x32xf32>
    linalg.yield %x : f32
  }
  return
}

// No call of a library.
// CHECK-LABEL: func.func @functions
// CHECK-NOT: math.exp
// CHECK-NOT: math.erf
// CHECK: return
func.func @functions(%a: memref<64xf32>, %out: memref<64xf32>) {
  linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]} ins(%a : memref<64xf32>) outs(%out : memref<64xf32>) {
  ^bb0(%p: f32, %o: f32):
    %x = math.exp %p : f32
    %y = math.erf %x : f32
    linalg.yield %y : f32
  }
  return
}

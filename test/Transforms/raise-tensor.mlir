// Options of attn-raise where attention is over pairs of keys, and what the op has no place for. test/Raise has the
// spellings.
//
// RUN: polyattn-opt %s --attn-raise | FileCheck %s
// RUN: polyattn-opt %s --attn-raise=assume-rows-attend | FileCheck %s --check-prefix=ATTEND
// RUN: polyattn-opt %s --attn-raise=reassociate=false | FileCheck %s --check-prefix=STRICT
// RUN: polyattn-opt %s --attn-raise --remarks-filter=polyattn 2>&1 >/dev/null | FileCheck %s --check-prefix=REMARK
// RUN: polyattn-opt %s --attn-raise=reassociate=false --remarks-filter=polyattn 2>&1 >/dev/null \
// RUN:   | FileCheck %s --check-prefix=STRICT-REMARK

#all = affine_map<(i, j, k) -> (i, j, k)>
#row = affine_map<(i, j, k) -> (i)>
#first = affine_map<(i, j, k) -> (j)>
#last = affine_map<(i, j, k) -> (k)>
#sq = affine_map<(i, j, k, d) -> (i, d)>
#sk1 = affine_map<(i, j, k, d) -> (j, d)>
#sk2 = affine_map<(i, j, k, d) -> (k, d)>
#s = affine_map<(i, j, k, d) -> (i, j, k)>
#p = affine_map<(i, e, j, k) -> (i, j, k)>
#v1 = affine_map<(i, e, j, k) -> (j, e)>
#v2 = affine_map<(i, e, j, k) -> (k, e)>
#o = affine_map<(i, e, j, k) -> (i, e)>
!q = tensor<6x4xf32>
!k1 = tensor<6x4xf32>
!k2 = tensor<5x4xf32>
!s = tensor<6x6x5xf32>
!r = tensor<6xf32>
!m1 = tensor<6xi1>
!m2 = tensor<5xi1>

// Keys and values of both sets, in the order of the loops.
//
// CHECK-LABEL: func.func @plain
// CHECK: attn.tensor_attention %arg0 keys(%arg1, %arg2 : tensor<6x4xf32>, tensor<5x4xf32>) values(%arg3, %arg4 : tensor<6x4xf32>, tensor<5x4xf32>) scale 5.000000e-01 nan_rows : tensor<6x4xf32> -> tensor<6x4xf32>
// CHECK-NOT: math.exp
// REMARK-DAG: Raised{{.*}}Function=plain {{.*}}raised to attn.tensor_attention, scale 0.5, 1 heads, 6 queries, 6 x 5 keys, head_dim 4"
// STRICT-LABEL: func.func @plain
// STRICT-NOT: attn.
// STRICT-REMARK-DAG: NotRaised{{.*}}Function=plain {{.*}}attn.tensor_attention multiplies in an order of its own, and reassociate=false forbids that
func.func @plain(%q: !q, %k1: !k1, %k2: !k2, %v1: !k1, %v2: !k2) -> !q {
  %zero = arith.constant 0.0 : f32
  %scale = arith.constant 0.5 : f32
  %inf = arith.constant 0xFF800000 : f32
  %min = arith.constant -3.40282347E+38 : f32
  %se = tensor.empty() : !s
  %sz = linalg.fill ins(%zero : f32) outs(%se : !s) -> !s
  %dot = linalg.generic {indexing_maps = [#sq, #sk1, #sk2, #s], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%q, %k1, %k2 : !q, !k1, !k2) outs(%sz : !s) {
  ^bb0(%a: f32, %b: f32, %c: f32, %x: f32):
    %ab = arith.mulf %a, %b : f32
    %abc = arith.mulf %ab, %c : f32
    %r = arith.addf %x, %abc : f32
    linalg.yield %r : f32
  } -> !s
  %scores = linalg.generic {indexing_maps = [#all, #all], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%dot : !s) outs(%se : !s) {
  ^bb0(%a: f32, %x: f32):
    %y = arith.mulf %a, %scale : f32
    %z = arith.addf %y, %zero : f32
    linalg.yield %z : f32
  } -> !s
  %re = tensor.empty() : !r
  %ri = linalg.fill ins(%inf : f32) outs(%re : !r) -> !r
  %top = linalg.generic {indexing_maps = [#all, #row], iterator_types = ["parallel", "reduction", "reduction"]}
      ins(%scores : !s) outs(%ri : !r) {
  ^bb0(%a: f32, %x: f32):
    %r = arith.maximumf %a, %x : f32
    linalg.yield %r : f32
  } -> !r
  %e = linalg.generic {indexing_maps = [#all, #row, #all], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%scores, %top : !s, !r) outs(%se : !s) {
  ^bb0(%a: f32, %t: f32, %x: f32):
    %d = arith.subf %a, %t : f32
    %r = math.exp %d : f32
    linalg.yield %r : f32
  } -> !s
  %rz = linalg.fill ins(%zero : f32) outs(%re : !r) -> !r
  %sum = linalg.generic {indexing_maps = [#all, #row], iterator_types = ["parallel", "reduction", "reduction"]}
      ins(%e : !s) outs(%rz : !r) {
  ^bb0(%a: f32, %x: f32):
    %r = arith.addf %a, %x : f32
    linalg.yield %r : f32
  } -> !r
  %p = linalg.generic {indexing_maps = [#all, #row, #all], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%e, %sum : !s, !r) outs(%se : !s) {
  ^bb0(%a: f32, %t: f32, %x: f32):
    %r = arith.divf %a, %t : f32
    linalg.yield %r : f32
  } -> !s
  %oe = tensor.empty() : !q
  %oz = linalg.fill ins(%zero : f32) outs(%oe : !q) -> !q
  %out = linalg.generic {indexing_maps = [#p, #v1, #v2, #o], iterator_types = ["parallel", "parallel", "reduction", "reduction"]}
      ins(%p, %v1, %v2 : !s, !k1, !k2) outs(%oz : !q) {
  ^bb0(%a: f32, %b: f32, %c: f32, %x: f32):
    %ab = arith.mulf %a, %b : f32
    %abc = arith.mulf %ab, %c : f32
    %r = arith.addf %x, %abc : f32
    linalg.yield %r : f32
  } -> !q
  return %out : !q
}

// Padding of the last keys that is an argument may leave rows without any key, which are NaN. The first keys all weigh 1.
//
// CHECK-LABEL: func.func @padding
// CHECK: %[[KEPT:.*]] = linalg.generic{{.*}}ins(%arg5 :
// CHECK: arith.select
// CHECK: %[[ONES:.*]] = linalg.generic
// CHECK: attn.tensor_attention {{.*}} key_weights(%[[ONES]], %[[KEPT]] : tensor<6xf32>, tensor<5xf32>) scale 5.000000e-01 nan_rows :
func.func @padding(%q: !q, %k1: !k1, %k2: !k2, %v1: !k1, %v2: !k2, %m: !m2) -> !q {
  %zero = arith.constant 0.0 : f32
  %scale = arith.constant 0.5 : f32
  %inf = arith.constant 0xFF800000 : f32
  %min = arith.constant -3.40282347E+38 : f32
  %se = tensor.empty() : !s
  %sz = linalg.fill ins(%zero : f32) outs(%se : !s) -> !s
  %dot = linalg.generic {indexing_maps = [#sq, #sk1, #sk2, #s], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%q, %k1, %k2 : !q, !k1, !k2) outs(%sz : !s) {
  ^bb0(%a: f32, %b: f32, %c: f32, %x: f32):
    %ab = arith.mulf %a, %b : f32
    %abc = arith.mulf %ab, %c : f32
    %r = arith.addf %x, %abc : f32
    linalg.yield %r : f32
  } -> !s
  %scores = linalg.generic {indexing_maps = [#all, #last, #all], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%dot, %m : !s, !m2) outs(%se : !s) {
  ^bb0(%a: f32, %g0: i1, %x: f32):
    %y = arith.mulf %a, %scale : f32
    %z = arith.select %g0, %y, %inf : f32
    linalg.yield %z : f32
  } -> !s
  %re = tensor.empty() : !r
  %ri = linalg.fill ins(%inf : f32) outs(%re : !r) -> !r
  %top = linalg.generic {indexing_maps = [#all, #row], iterator_types = ["parallel", "reduction", "reduction"]}
      ins(%scores : !s) outs(%ri : !r) {
  ^bb0(%a: f32, %x: f32):
    %r = arith.maximumf %a, %x : f32
    linalg.yield %r : f32
  } -> !r
  %e = linalg.generic {indexing_maps = [#all, #row, #all], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%scores, %top : !s, !r) outs(%se : !s) {
  ^bb0(%a: f32, %t: f32, %x: f32):
    %d = arith.subf %a, %t : f32
    %r = math.exp %d : f32
    linalg.yield %r : f32
  } -> !s
  %rz = linalg.fill ins(%zero : f32) outs(%re : !r) -> !r
  %sum = linalg.generic {indexing_maps = [#all, #row], iterator_types = ["parallel", "reduction", "reduction"]}
      ins(%e : !s) outs(%rz : !r) {
  ^bb0(%a: f32, %x: f32):
    %r = arith.addf %a, %x : f32
    linalg.yield %r : f32
  } -> !r
  %p = linalg.generic {indexing_maps = [#all, #row, #all], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%e, %sum : !s, !r) outs(%se : !s) {
  ^bb0(%a: f32, %t: f32, %x: f32):
    %r = arith.divf %a, %t : f32
    linalg.yield %r : f32
  } -> !s
  %oe = tensor.empty() : !q
  %oz = linalg.fill ins(%zero : f32) outs(%oe : !q) -> !q
  %out = linalg.generic {indexing_maps = [#p, #v1, #v2, #o], iterator_types = ["parallel", "parallel", "reduction", "reduction"]}
      ins(%p, %v1, %v2 : !s, !k1, !k2) outs(%oz : !q) {
  ^bb0(%a: f32, %b: f32, %c: f32, %x: f32):
    %ab = arith.mulf %a, %b : f32
    %abc = arith.mulf %ab, %c : f32
    %r = arith.addf %x, %abc : f32
    linalg.yield %r : f32
  } -> !q
  return %out : !q
}

// The same with the lowest number.
//
// CHECK-LABEL: func.func @padding_filled
// CHECK-NOT: = attn.
// CHECK: return
// ATTEND-LABEL: func.func @padding_filled
// ATTEND: attn.tensor_attention {{.*}} key_weights(
// REMARK-DAG: NotRaised{{.*}}Function=padding_filled {{.*}}a mask is a finite number, which may leave rows to the mean of all values, and attn.tensor_attention makes NaN of them (see assume-rows-attend)
func.func @padding_filled(%q: !q, %k1: !k1, %k2: !k2, %v1: !k1, %v2: !k2, %m: !m1) -> !q {
  %zero = arith.constant 0.0 : f32
  %scale = arith.constant 0.5 : f32
  %inf = arith.constant 0xFF800000 : f32
  %min = arith.constant -3.40282347E+38 : f32
  %se = tensor.empty() : !s
  %sz = linalg.fill ins(%zero : f32) outs(%se : !s) -> !s
  %dot = linalg.generic {indexing_maps = [#sq, #sk1, #sk2, #s], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%q, %k1, %k2 : !q, !k1, !k2) outs(%sz : !s) {
  ^bb0(%a: f32, %b: f32, %c: f32, %x: f32):
    %ab = arith.mulf %a, %b : f32
    %abc = arith.mulf %ab, %c : f32
    %r = arith.addf %x, %abc : f32
    linalg.yield %r : f32
  } -> !s
  %scores = linalg.generic {indexing_maps = [#all, #first, #all], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%dot, %m : !s, !m1) outs(%se : !s) {
  ^bb0(%a: f32, %g0: i1, %x: f32):
    %y = arith.mulf %a, %scale : f32
    %z = arith.select %g0, %y, %min : f32
    linalg.yield %z : f32
  } -> !s
  %re = tensor.empty() : !r
  %ri = linalg.fill ins(%inf : f32) outs(%re : !r) -> !r
  %top = linalg.generic {indexing_maps = [#all, #row], iterator_types = ["parallel", "reduction", "reduction"]}
      ins(%scores : !s) outs(%ri : !r) {
  ^bb0(%a: f32, %x: f32):
    %r = arith.maximumf %a, %x : f32
    linalg.yield %r : f32
  } -> !r
  %e = linalg.generic {indexing_maps = [#all, #row, #all], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%scores, %top : !s, !r) outs(%se : !s) {
  ^bb0(%a: f32, %t: f32, %x: f32):
    %d = arith.subf %a, %t : f32
    %r = math.exp %d : f32
    linalg.yield %r : f32
  } -> !s
  %rz = linalg.fill ins(%zero : f32) outs(%re : !r) -> !r
  %sum = linalg.generic {indexing_maps = [#all, #row], iterator_types = ["parallel", "reduction", "reduction"]}
      ins(%e : !s) outs(%rz : !r) {
  ^bb0(%a: f32, %x: f32):
    %r = arith.addf %a, %x : f32
    linalg.yield %r : f32
  } -> !r
  %p = linalg.generic {indexing_maps = [#all, #row, #all], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%e, %sum : !s, !r) outs(%se : !s) {
  ^bb0(%a: f32, %t: f32, %x: f32):
    %r = arith.divf %a, %t : f32
    linalg.yield %r : f32
  } -> !s
  %oe = tensor.empty() : !q
  %oz = linalg.fill ins(%zero : f32) outs(%oe : !q) -> !q
  %out = linalg.generic {indexing_maps = [#p, #v1, #v2, #o], iterator_types = ["parallel", "parallel", "reduction", "reduction"]}
      ins(%p, %v1, %v2 : !s, !k1, !k2) outs(%oz : !q) {
  ^bb0(%a: f32, %b: f32, %c: f32, %x: f32):
    %ab = arith.mulf %a, %b : f32
    %abc = arith.mulf %ab, %c : f32
    %r = arith.addf %x, %abc : f32
    linalg.yield %r : f32
  } -> !q
  return %out : !q
}

// A window of the first keys, a causal mask of the last: one condition.
//
// CHECK-LABEL: func.func @masks
// CHECK: attn.tensor_attention {{.*}} mask [sliding_window<left = 1, right = 0>, causal] nan_rows :
// REMARK-DAG: Raised{{.*}}Function=masks {{.*}}mask #attn.sliding_window<left = 1, right = 0>, mask #attn.causal
func.func @masks(%q: !q, %k1: !k1, %k2: !k2, %v1: !k1, %v2: !k2) -> !q {
  %zero = arith.constant 0.0 : f32
  %scale = arith.constant 0.5 : f32
  %inf = arith.constant 0xFF800000 : f32
  %min = arith.constant -3.40282347E+38 : f32
  %se = tensor.empty() : !s
  %sz = linalg.fill ins(%zero : f32) outs(%se : !s) -> !s
  %dot = linalg.generic {indexing_maps = [#sq, #sk1, #sk2, #s], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%q, %k1, %k2 : !q, !k1, !k2) outs(%sz : !s) {
  ^bb0(%a: f32, %b: f32, %c: f32, %x: f32):
    %ab = arith.mulf %a, %b : f32
    %abc = arith.mulf %ab, %c : f32
    %r = arith.addf %x, %abc : f32
    linalg.yield %r : f32
  } -> !s
  %scores = linalg.generic {indexing_maps = [#all, #all], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%dot : !s) outs(%se : !s) {
  ^bb0(%a: f32, %x: f32):
    %y = arith.mulf %a, %scale : f32
    %i = linalg.index 0 : index
    %j = linalg.index 1 : index
    %k = linalg.index 2 : index
    %one = arith.constant 1 : index
    %least = arith.subi %i, %one : index
    %c0 = arith.cmpi sge, %j, %least : index
    %c1 = arith.cmpi sle, %j, %i : index
    %c2 = arith.cmpi sle, %k, %i : index
    %c3 = arith.andi %c0, %c1 : i1
    %c4 = arith.andi %c3, %c2 : i1
    %z = arith.select %c4, %y, %min : f32
    linalg.yield %z : f32
  } -> !s
  %re = tensor.empty() : !r
  %ri = linalg.fill ins(%inf : f32) outs(%re : !r) -> !r
  %top = linalg.generic {indexing_maps = [#all, #row], iterator_types = ["parallel", "reduction", "reduction"]}
      ins(%scores : !s) outs(%ri : !r) {
  ^bb0(%a: f32, %x: f32):
    %r = arith.maximumf %a, %x : f32
    linalg.yield %r : f32
  } -> !r
  %e = linalg.generic {indexing_maps = [#all, #row, #all], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%scores, %top : !s, !r) outs(%se : !s) {
  ^bb0(%a: f32, %t: f32, %x: f32):
    %d = arith.subf %a, %t : f32
    %r = math.exp %d : f32
    linalg.yield %r : f32
  } -> !s
  %rz = linalg.fill ins(%zero : f32) outs(%re : !r) -> !r
  %sum = linalg.generic {indexing_maps = [#all, #row], iterator_types = ["parallel", "reduction", "reduction"]}
      ins(%e : !s) outs(%rz : !r) {
  ^bb0(%a: f32, %x: f32):
    %r = arith.addf %a, %x : f32
    linalg.yield %r : f32
  } -> !r
  %p = linalg.generic {indexing_maps = [#all, #row, #all], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%e, %sum : !s, !r) outs(%se : !s) {
  ^bb0(%a: f32, %t: f32, %x: f32):
    %r = arith.divf %a, %t : f32
    linalg.yield %r : f32
  } -> !s
  %oe = tensor.empty() : !q
  %oz = linalg.fill ins(%zero : f32) outs(%oe : !q) -> !q
  %out = linalg.generic {indexing_maps = [#p, #v1, #v2, #o], iterator_types = ["parallel", "parallel", "reduction", "reduction"]}
      ins(%p, %v1, %v2 : !s, !k1, !k2) outs(%oz : !q) {
  ^bb0(%a: f32, %b: f32, %c: f32, %x: f32):
    %ab = arith.mulf %a, %b : f32
    %abc = arith.mulf %ab, %c : f32
    %r = arith.addf %x, %abc : f32
    linalg.yield %r : f32
  } -> !q
  return %out : !q
}

// The same by what hides keys.
//
// CHECK-LABEL: func.func @hidden
// CHECK: attn.tensor_attention {{.*}} mask [sliding_window<left = 1, right = 0>, causal] nan_rows :
func.func @hidden(%q: !q, %k1: !k1, %k2: !k2, %v1: !k1, %v2: !k2) -> !q {
  %zero = arith.constant 0.0 : f32
  %scale = arith.constant 0.5 : f32
  %inf = arith.constant 0xFF800000 : f32
  %min = arith.constant -3.40282347E+38 : f32
  %se = tensor.empty() : !s
  %sz = linalg.fill ins(%zero : f32) outs(%se : !s) -> !s
  %dot = linalg.generic {indexing_maps = [#sq, #sk1, #sk2, #s], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%q, %k1, %k2 : !q, !k1, !k2) outs(%sz : !s) {
  ^bb0(%a: f32, %b: f32, %c: f32, %x: f32):
    %ab = arith.mulf %a, %b : f32
    %abc = arith.mulf %ab, %c : f32
    %r = arith.addf %x, %abc : f32
    linalg.yield %r : f32
  } -> !s
  %scores = linalg.generic {indexing_maps = [#all, #all], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%dot : !s) outs(%se : !s) {
  ^bb0(%a: f32, %x: f32):
    %y = arith.mulf %a, %scale : f32
    %i = linalg.index 0 : index
    %j = linalg.index 1 : index
    %k = linalg.index 2 : index
    %one = arith.constant 1 : index
    %least = arith.subi %i, %one : index
    %c0 = arith.cmpi slt, %j, %least : index
    %c1 = arith.cmpi sgt, %j, %i : index
    %c2 = arith.cmpi sgt, %k, %i : index
    %c3 = arith.ori %c0, %c1 : i1
    %c4 = arith.ori %c3, %c2 : i1
    %z = arith.select %c4, %inf, %y : f32
    linalg.yield %z : f32
  } -> !s
  %re = tensor.empty() : !r
  %ri = linalg.fill ins(%inf : f32) outs(%re : !r) -> !r
  %top = linalg.generic {indexing_maps = [#all, #row], iterator_types = ["parallel", "reduction", "reduction"]}
      ins(%scores : !s) outs(%ri : !r) {
  ^bb0(%a: f32, %x: f32):
    %r = arith.maximumf %a, %x : f32
    linalg.yield %r : f32
  } -> !r
  %e = linalg.generic {indexing_maps = [#all, #row, #all], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%scores, %top : !s, !r) outs(%se : !s) {
  ^bb0(%a: f32, %t: f32, %x: f32):
    %d = arith.subf %a, %t : f32
    %r = math.exp %d : f32
    linalg.yield %r : f32
  } -> !s
  %rz = linalg.fill ins(%zero : f32) outs(%re : !r) -> !r
  %sum = linalg.generic {indexing_maps = [#all, #row], iterator_types = ["parallel", "reduction", "reduction"]}
      ins(%e : !s) outs(%rz : !r) {
  ^bb0(%a: f32, %x: f32):
    %r = arith.addf %a, %x : f32
    linalg.yield %r : f32
  } -> !r
  %p = linalg.generic {indexing_maps = [#all, #row, #all], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%e, %sum : !s, !r) outs(%se : !s) {
  ^bb0(%a: f32, %t: f32, %x: f32):
    %r = arith.divf %a, %t : f32
    linalg.yield %r : f32
  } -> !s
  %oe = tensor.empty() : !q
  %oz = linalg.fill ins(%zero : f32) outs(%oe : !q) -> !q
  %out = linalg.generic {indexing_maps = [#p, #v1, #v2, #o], iterator_types = ["parallel", "parallel", "reduction", "reduction"]}
      ins(%p, %v1, %v2 : !s, !k1, !k2) outs(%oz : !q) {
  ^bb0(%a: f32, %b: f32, %c: f32, %x: f32):
    %ab = arith.mulf %a, %b : f32
    %abc = arith.mulf %ab, %c : f32
    %r = arith.addf %x, %abc : f32
    linalg.yield %r : f32
  } -> !q
  return %out : !q
}

// A condition on both keys of a pair.
//
// CHECK-LABEL: func.func @ordered
// CHECK-NOT: = attn.
// CHECK: return
// ATTEND-LABEL: func.func @ordered
// ATTEND-NOT: = attn.
// ATTEND: return
// REMARK-DAG: NotRaised{{.*}}Function=ordered {{.*}}a mask is a condition on keys of several sets together, which attn.tensor_attention has no mask for
func.func @ordered(%q: !q, %k1: !k1, %k2: !k2, %v1: !k1, %v2: !k2) -> !q {
  %zero = arith.constant 0.0 : f32
  %scale = arith.constant 0.5 : f32
  %inf = arith.constant 0xFF800000 : f32
  %min = arith.constant -3.40282347E+38 : f32
  %se = tensor.empty() : !s
  %sz = linalg.fill ins(%zero : f32) outs(%se : !s) -> !s
  %dot = linalg.generic {indexing_maps = [#sq, #sk1, #sk2, #s], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%q, %k1, %k2 : !q, !k1, !k2) outs(%sz : !s) {
  ^bb0(%a: f32, %b: f32, %c: f32, %x: f32):
    %ab = arith.mulf %a, %b : f32
    %abc = arith.mulf %ab, %c : f32
    %r = arith.addf %x, %abc : f32
    linalg.yield %r : f32
  } -> !s
  %scores = linalg.generic {indexing_maps = [#all, #all], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%dot : !s) outs(%se : !s) {
  ^bb0(%a: f32, %x: f32):
    %y = arith.mulf %a, %scale : f32
    %i = linalg.index 0 : index
    %j = linalg.index 1 : index
    %k = linalg.index 2 : index
    %c = arith.cmpi sle, %j, %k : index
    %z = arith.select %c, %y, %inf : f32
    linalg.yield %z : f32
  } -> !s
  %re = tensor.empty() : !r
  %ri = linalg.fill ins(%inf : f32) outs(%re : !r) -> !r
  %top = linalg.generic {indexing_maps = [#all, #row], iterator_types = ["parallel", "reduction", "reduction"]}
      ins(%scores : !s) outs(%ri : !r) {
  ^bb0(%a: f32, %x: f32):
    %r = arith.maximumf %a, %x : f32
    linalg.yield %r : f32
  } -> !r
  %e = linalg.generic {indexing_maps = [#all, #row, #all], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%scores, %top : !s, !r) outs(%se : !s) {
  ^bb0(%a: f32, %t: f32, %x: f32):
    %d = arith.subf %a, %t : f32
    %r = math.exp %d : f32
    linalg.yield %r : f32
  } -> !s
  %rz = linalg.fill ins(%zero : f32) outs(%re : !r) -> !r
  %sum = linalg.generic {indexing_maps = [#all, #row], iterator_types = ["parallel", "reduction", "reduction"]}
      ins(%e : !s) outs(%rz : !r) {
  ^bb0(%a: f32, %x: f32):
    %r = arith.addf %a, %x : f32
    linalg.yield %r : f32
  } -> !r
  %p = linalg.generic {indexing_maps = [#all, #row, #all], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%e, %sum : !s, !r) outs(%se : !s) {
  ^bb0(%a: f32, %t: f32, %x: f32):
    %r = arith.divf %a, %t : f32
    linalg.yield %r : f32
  } -> !s
  %oe = tensor.empty() : !q
  %oz = linalg.fill ins(%zero : f32) outs(%oe : !q) -> !q
  %out = linalg.generic {indexing_maps = [#p, #v1, #v2, #o], iterator_types = ["parallel", "parallel", "reduction", "reduction"]}
      ins(%p, %v1, %v2 : !s, !k1, !k2) outs(%oz : !q) {
  ^bb0(%a: f32, %b: f32, %c: f32, %x: f32):
    %ab = arith.mulf %a, %b : f32
    %abc = arith.mulf %ab, %c : f32
    %r = arith.addf %x, %abc : f32
    linalg.yield %r : f32
  } -> !q
  return %out : !q
}

// The first row sees no last key, and is NaN.
//
// CHECK-LABEL: func.func @few
// CHECK: attn.tensor_attention {{.*}} mask [full, causal<align = end>] nan_rows :
func.func @few(%q: !q, %k1: !k1, %k2: !k2, %v1: !k1, %v2: !k2) -> !q {
  %zero = arith.constant 0.0 : f32
  %scale = arith.constant 0.5 : f32
  %inf = arith.constant 0xFF800000 : f32
  %min = arith.constant -3.40282347E+38 : f32
  %se = tensor.empty() : !s
  %sz = linalg.fill ins(%zero : f32) outs(%se : !s) -> !s
  %dot = linalg.generic {indexing_maps = [#sq, #sk1, #sk2, #s], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%q, %k1, %k2 : !q, !k1, !k2) outs(%sz : !s) {
  ^bb0(%a: f32, %b: f32, %c: f32, %x: f32):
    %ab = arith.mulf %a, %b : f32
    %abc = arith.mulf %ab, %c : f32
    %r = arith.addf %x, %abc : f32
    linalg.yield %r : f32
  } -> !s
  %scores = linalg.generic {indexing_maps = [#all, #all], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%dot : !s) outs(%se : !s) {
  ^bb0(%a: f32, %x: f32):
    %y = arith.mulf %a, %scale : f32
    %i = linalg.index 0 : index
    %j = linalg.index 1 : index
    %k = linalg.index 2 : index
    %c = arith.cmpi slt, %k, %i : index
    %z = arith.select %c, %y, %inf : f32
    linalg.yield %z : f32
  } -> !s
  %re = tensor.empty() : !r
  %ri = linalg.fill ins(%inf : f32) outs(%re : !r) -> !r
  %top = linalg.generic {indexing_maps = [#all, #row], iterator_types = ["parallel", "reduction", "reduction"]}
      ins(%scores : !s) outs(%ri : !r) {
  ^bb0(%a: f32, %x: f32):
    %r = arith.maximumf %a, %x : f32
    linalg.yield %r : f32
  } -> !r
  %e = linalg.generic {indexing_maps = [#all, #row, #all], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%scores, %top : !s, !r) outs(%se : !s) {
  ^bb0(%a: f32, %t: f32, %x: f32):
    %d = arith.subf %a, %t : f32
    %r = math.exp %d : f32
    linalg.yield %r : f32
  } -> !s
  %rz = linalg.fill ins(%zero : f32) outs(%re : !r) -> !r
  %sum = linalg.generic {indexing_maps = [#all, #row], iterator_types = ["parallel", "reduction", "reduction"]}
      ins(%e : !s) outs(%rz : !r) {
  ^bb0(%a: f32, %x: f32):
    %r = arith.addf %a, %x : f32
    linalg.yield %r : f32
  } -> !r
  %p = linalg.generic {indexing_maps = [#all, #row, #all], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%e, %sum : !s, !r) outs(%se : !s) {
  ^bb0(%a: f32, %t: f32, %x: f32):
    %r = arith.divf %a, %t : f32
    linalg.yield %r : f32
  } -> !s
  %oe = tensor.empty() : !q
  %oz = linalg.fill ins(%zero : f32) outs(%oe : !q) -> !q
  %out = linalg.generic {indexing_maps = [#p, #v1, #v2, #o], iterator_types = ["parallel", "parallel", "reduction", "reduction"]}
      ins(%p, %v1, %v2 : !s, !k1, !k2) outs(%oz : !q) {
  ^bb0(%a: f32, %b: f32, %c: f32, %x: f32):
    %ab = arith.mulf %a, %b : f32
    %abc = arith.mulf %ab, %c : f32
    %r = arith.addf %x, %abc : f32
    linalg.yield %r : f32
  } -> !q
  return %out : !q
}

// The same with the lowest number: the mean of all values.
//
// CHECK-LABEL: func.func @few_filled
// CHECK-NOT: = attn.
// CHECK: return
// REMARK-DAG: NotRaised{{.*}}Function=few_filled {{.*}}a mask is a finite number, which may leave rows to the mean of all values
// ATTEND-LABEL: func.func @few_filled
// ATTEND: attn.tensor_attention {{.*}} mask [full, causal<align = end>] nan_rows :
func.func @few_filled(%q: !q, %k1: !k1, %k2: !k2, %v1: !k1, %v2: !k2) -> !q {
  %zero = arith.constant 0.0 : f32
  %scale = arith.constant 0.5 : f32
  %inf = arith.constant 0xFF800000 : f32
  %min = arith.constant -3.40282347E+38 : f32
  %se = tensor.empty() : !s
  %sz = linalg.fill ins(%zero : f32) outs(%se : !s) -> !s
  %dot = linalg.generic {indexing_maps = [#sq, #sk1, #sk2, #s], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%q, %k1, %k2 : !q, !k1, !k2) outs(%sz : !s) {
  ^bb0(%a: f32, %b: f32, %c: f32, %x: f32):
    %ab = arith.mulf %a, %b : f32
    %abc = arith.mulf %ab, %c : f32
    %r = arith.addf %x, %abc : f32
    linalg.yield %r : f32
  } -> !s
  %scores = linalg.generic {indexing_maps = [#all, #all], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%dot : !s) outs(%se : !s) {
  ^bb0(%a: f32, %x: f32):
    %y = arith.mulf %a, %scale : f32
    %i = linalg.index 0 : index
    %j = linalg.index 1 : index
    %k = linalg.index 2 : index
    %c = arith.cmpi slt, %k, %i : index
    %z = arith.select %c, %y, %min : f32
    linalg.yield %z : f32
  } -> !s
  %re = tensor.empty() : !r
  %ri = linalg.fill ins(%inf : f32) outs(%re : !r) -> !r
  %top = linalg.generic {indexing_maps = [#all, #row], iterator_types = ["parallel", "reduction", "reduction"]}
      ins(%scores : !s) outs(%ri : !r) {
  ^bb0(%a: f32, %x: f32):
    %r = arith.maximumf %a, %x : f32
    linalg.yield %r : f32
  } -> !r
  %e = linalg.generic {indexing_maps = [#all, #row, #all], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%scores, %top : !s, !r) outs(%se : !s) {
  ^bb0(%a: f32, %t: f32, %x: f32):
    %d = arith.subf %a, %t : f32
    %r = math.exp %d : f32
    linalg.yield %r : f32
  } -> !s
  %rz = linalg.fill ins(%zero : f32) outs(%re : !r) -> !r
  %sum = linalg.generic {indexing_maps = [#all, #row], iterator_types = ["parallel", "reduction", "reduction"]}
      ins(%e : !s) outs(%rz : !r) {
  ^bb0(%a: f32, %x: f32):
    %r = arith.addf %a, %x : f32
    linalg.yield %r : f32
  } -> !r
  %p = linalg.generic {indexing_maps = [#all, #row, #all], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%e, %sum : !s, !r) outs(%se : !s) {
  ^bb0(%a: f32, %t: f32, %x: f32):
    %r = arith.divf %a, %t : f32
    linalg.yield %r : f32
  } -> !s
  %oe = tensor.empty() : !q
  %oz = linalg.fill ins(%zero : f32) outs(%oe : !q) -> !q
  %out = linalg.generic {indexing_maps = [#p, #v1, #v2, #o], iterator_types = ["parallel", "parallel", "reduction", "reduction"]}
      ins(%p, %v1, %v2 : !s, !k1, !k2) outs(%oz : !q) {
  ^bb0(%a: f32, %b: f32, %c: f32, %x: f32):
    %ab = arith.mulf %a, %b : f32
    %abc = arith.mulf %ab, %c : f32
    %r = arith.addf %x, %abc : f32
    linalg.yield %r : f32
  } -> !q
  return %out : !q
}

// What is added to scores has no place.
//
// CHECK-LABEL: func.func @bias
// CHECK-NOT: = attn.
// CHECK: return
// REMARK-DAG: NotRaised{{.*}}Function=bias {{.*}}something is added to scores, and attn.tensor_attention has no bias
func.func @bias(%q: !q, %k1: !k1, %k2: !k2, %v1: !k1, %v2: !k2, %added: !r) -> !q {
  %zero = arith.constant 0.0 : f32
  %scale = arith.constant 0.5 : f32
  %inf = arith.constant 0xFF800000 : f32
  %min = arith.constant -3.40282347E+38 : f32
  %se = tensor.empty() : !s
  %sz = linalg.fill ins(%zero : f32) outs(%se : !s) -> !s
  %dot = linalg.generic {indexing_maps = [#sq, #sk1, #sk2, #s], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%q, %k1, %k2 : !q, !k1, !k2) outs(%sz : !s) {
  ^bb0(%a: f32, %b: f32, %c: f32, %x: f32):
    %ab = arith.mulf %a, %b : f32
    %abc = arith.mulf %ab, %c : f32
    %r = arith.addf %x, %abc : f32
    linalg.yield %r : f32
  } -> !s
  %scores = linalg.generic {indexing_maps = [#all, #first, #all], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%dot, %added : !s, !r) outs(%se : !s) {
  ^bb0(%a: f32, %g0: f32, %x: f32):
    %y = arith.mulf %a, %scale : f32
    %z = arith.addf %y, %g0 : f32
    linalg.yield %z : f32
  } -> !s
  %re = tensor.empty() : !r
  %ri = linalg.fill ins(%inf : f32) outs(%re : !r) -> !r
  %top = linalg.generic {indexing_maps = [#all, #row], iterator_types = ["parallel", "reduction", "reduction"]}
      ins(%scores : !s) outs(%ri : !r) {
  ^bb0(%a: f32, %x: f32):
    %r = arith.maximumf %a, %x : f32
    linalg.yield %r : f32
  } -> !r
  %e = linalg.generic {indexing_maps = [#all, #row, #all], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%scores, %top : !s, !r) outs(%se : !s) {
  ^bb0(%a: f32, %t: f32, %x: f32):
    %d = arith.subf %a, %t : f32
    %r = math.exp %d : f32
    linalg.yield %r : f32
  } -> !s
  %rz = linalg.fill ins(%zero : f32) outs(%re : !r) -> !r
  %sum = linalg.generic {indexing_maps = [#all, #row], iterator_types = ["parallel", "reduction", "reduction"]}
      ins(%e : !s) outs(%rz : !r) {
  ^bb0(%a: f32, %x: f32):
    %r = arith.addf %a, %x : f32
    linalg.yield %r : f32
  } -> !r
  %p = linalg.generic {indexing_maps = [#all, #row, #all], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%e, %sum : !s, !r) outs(%se : !s) {
  ^bb0(%a: f32, %t: f32, %x: f32):
    %r = arith.divf %a, %t : f32
    linalg.yield %r : f32
  } -> !s
  %oe = tensor.empty() : !q
  %oz = linalg.fill ins(%zero : f32) outs(%oe : !q) -> !q
  %out = linalg.generic {indexing_maps = [#p, #v1, #v2, #o], iterator_types = ["parallel", "parallel", "reduction", "reduction"]}
      ins(%p, %v1, %v2 : !s, !k1, !k2) outs(%oz : !q) {
  ^bb0(%a: f32, %b: f32, %c: f32, %x: f32):
    %ab = arith.mulf %a, %b : f32
    %abc = arith.mulf %ab, %c : f32
    %r = arith.addf %x, %abc : f32
    linalg.yield %r : f32
  } -> !q
  return %out : !q
}

// RUN: polyattn-opt %s --attn-approximate=target=avx512 --attn-verify-certificates --canonicalize --cse --attn-verify-certificates | FileCheck %s
// RUN: polyattn-opt %s --attn-approximate="target=avx512 force max-keys=1000 guard=never" --canonicalize --cse | FileCheck %s --check-prefix=FORCE

// Bound, number of keys and profit are all checked at run time.
// CHECK-LABEL: func @both(
// CHECK-DAG: %[[MOST:.*]] = arith.constant 262144 : index
// CHECK-DAG: %[[FROM:.*]] = arith.constant {{[0-9]+}} : index
// CHECK-DAG: %[[OK:.*]] = attn.check_bound %arg0, %arg1 scale 1.250000e-01 bound 0.5001220703125
// CHECK-DAG: %[[M:.*]] = tensor.dim %arg1, %c1
// CHECK-DAG: %[[SHORT:.*]] = arith.cmpi ule, %[[M]], %[[MOST]]
// CHECK-DAG: %[[N:.*]] = tensor.dim %arg0, %c1
// CHECK-DAG: %[[NPAYS:.*]] = arith.cmpi uge, %[[N]], %[[FROM]]
// CHECK-DAG: %[[MPAYS:.*]] = arith.cmpi uge, %[[M]], %[[FROM]]
// CHECK: %[[A:.*]] = arith.andi %[[OK]], %[[SHORT]]
// CHECK: %[[B:.*]] = arith.andi %[[A]], %[[NPAYS]]
// CHECK: %[[C:.*]] = arith.andi %[[B]], %[[MPAYS]]
// CHECK: scf.if %[[C]]
// CHECK: kernel poly<
// CHECK-SAME: max_keys = 262144, assumption = guarded>
// CHECK: } else {
// CHECK: attn.attention %arg0, %arg1, %arg1 scale 1.250000e-01 :

// Not even `guard=never` waives the number of keys.
// FORCE-LABEL: func @both(
// FORCE-NOT: attn.check_bound
// FORCE: %[[M:.*]] = tensor.dim %arg1, %c1
// FORCE: %[[SHORT:.*]] = arith.cmpi ule, %[[M]], %c1000
// FORCE: scf.if %[[SHORT]]
// FORCE: max_keys = 1000, assumption = trusted>
func.func @both(%q: tensor<8x?x64xf32>, %k: tensor<8x?x64xf32>) -> tensor<8x?x64xf32> {
  %o = attn.attention %q, %k, %k scale 0.125 bound <0.5, declared>
     : tensor<8x?x64xf32>, tensor<8x?x64xf32>, tensor<8x?x64xf32> -> tensor<8x?x64xf32>
  return %o : tensor<8x?x64xf32>
}

// A proved bound needs no check, the number of keys does.
// CHECK-LABEL: func @proved_dynamic(
// CHECK-NOT: attn.check_bound
// CHECK: scf.if
// CHECK: assumption = proved>
func.func @proved_dynamic(%q: tensor<?x?x64xf32>) -> tensor<?x?x64xf32> {
  %o = attn.attention %q, %q, %q scale 0.125 mask causal bound <0.5, proved>
     : tensor<?x?x64xf32>, tensor<?x?x64xf32>, tensor<?x?x64xf32> -> tensor<?x?x64xf32>
  return %o : tensor<?x?x64xf32>
}

// Only the queries' number is open: keys need no check.
// CHECK-LABEL: func @queries(
// CHECK-NOT: ule
// CHECK: scf.if
// CHECK: max_keys = 16384, assumption = proved>
func.func @queries(%q: tensor<?x64xf32>, %k: tensor<16384x64xf32>) -> tensor<?x64xf32> {
  %o = attn.attention %q, %k, %k scale 0.125 bound <0.5, proved>
     : tensor<?x64xf32>, tensor<16384x64xf32>, tensor<16384x64xf32> -> tensor<?x64xf32>
  return %o : tensor<?x64xf32>
}

// One query has no use for a state, however many keys there are.
// CHECK-LABEL: func @decode(
// CHECK-NOT: poly
// CHECK: return
func.func @decode(%q: tensor<8x1x64xf32>, %k: tensor<8x?x64xf32>) -> tensor<8x1x64xf32> {
  %o = attn.attention %q, %k, %k scale 0.125 mask causal<align = end> bound <0.5, proved>
     : tensor<8x1x64xf32>, tensor<8x?x64xf32>, tensor<8x?x64xf32> -> tensor<8x1x64xf32>
  return %o : tensor<8x1x64xf32>
}

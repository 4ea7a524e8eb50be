// RUN: polyattn-opt %s --attn-approximate="target=avx512 moments=false" --attn-schedule=target=avx512 --remarks-filter='polyattn.*' 2>&1 >/dev/null | FileCheck %s
// Without a filter nothing is said.
// RUN: polyattn-opt %s --attn-approximate="target=avx512 moments=false" 2>&1 >/dev/null | count 0
// RUN: mlir-opt --load-dialect-plugin=%plugin --load-pass-plugin=%plugin %s --pass-pipeline='builtin.module(attn-approximate{target=avx512 moments=false})' --remarks-filter='polyattn.*' 2>&1 >/dev/null | FileCheck %s --check-prefix=PLUGIN
// PLUGIN: [Passed] Approximated | Category:polyattn:attn-approximate
// RUN: polyattn-opt %s --attn-approximate="target=avx512 moments=false" --remarks-filter='polyattn.*' --remark-format=yaml --remarks-output-file=%t.yaml -o /dev/null
// The tools of LLVM read it: there and back again.
// RUN: llvm-remarkutil yaml2bitstream %t.yaml -o %t.bitstream
// RUN: llvm-remarkutil bitstream2yaml %t.bitstream -o - | FileCheck %s --check-prefix=YAML
// YAML: --- !Passed
// YAML: Pass: {{.*}}polyattn:attn-approximate
// YAML: Name: Approximated
// YAML: Function: guarded
// YAML: Degree: '2'
// YAML: --- !Passed
// YAML: Function: dynamic

// CHECK: remarks.mlir:[[@LINE+4]]:8: remark: [Passed] Approximated | Category:polyattn:attn-approximate | Function=guarded | Degree=2, Gain=7.{{[0-9]+}}, MaxKeys=16384, NormLimit=262144, OutputError=0.005{{[0-9]+}}, Rank=2145,
// CHECK-SAME: Remark="score bound 0.5 (declared, checked at run time): degree 2, rank 2145, certified error 0.00533 of max|value| (kernel 0.00516, rounding 0.000174) for norms up to 262144 and 16384 keys, predicted 7.{{[0-9]+}}x as fast as direct evaluation"
// CHECK-SAME: RoundingError=0.00017{{[0-9]+}}, ScoreBound=0.5, WeightChange=0.005{{[0-9]+}}
func.func @guarded(%x: tensor<8x16384x64xf32>) -> tensor<8x16384x64xf32> {
  %o = attn.attention %x, %x, %x scale 0.125 bound <0.5, declared>
     : tensor<8x16384x64xf32>, tensor<8x16384x64xf32>, tensor<8x16384x64xf32> -> tensor<8x16384x64xf32>
  return %o : tensor<8x16384x64xf32>
}

// CHECK: [Passed] Approximated | {{.*}} FromLength=[[L:[0-9]+]], MaxKeys=262144, {{.*}} Remark="score bound 0.5 (proved, relied on): degree 2, {{.*}}, taken from length [[L]] on"
func.func @dynamic(%x: tensor<8x?x64xf32>) -> tensor<8x?x64xf32> {
  %o = attn.attention %x, %x, %x scale 0.125 bound <0.5, proved>
     : tensor<8x?x64xf32>, tensor<8x?x64xf32>, tensor<8x?x64xf32> -> tensor<8x?x64xf32>
  return %o : tensor<8x?x64xf32>
}
// CHECK: [Analysis] State | Category:polyattn:attn-schedule | Function=guarded | DirectCycles={{[0-9.]+}}, Remark="state: predicted {{.*}} cycles direct, {{.*}} through a state", StateCycles=
// CHECK: [Analysis] Direct | Category:polyattn:attn-schedule | Function=guarded | Remark="direct: the kernel is not a polynomial"

# scratch generator for invalid.mlir, removed afterwards
out=["// One rejected op per rule.","// RUN: polyattn-opt %s --verify-diagnostics --split-input-file",""]
def case(comment, error, body, sig):
    out.append(f"// {comment}")
    out.append(f"func.func @f({sig}) {{")
    out.append("  // expected-error@+1 {{"+error+"}}")
    out.append("  "+body)
    out.append("  return\n}\n\n// -----\n")
def att(comment, error, q="3x8xf32", k="5x8xf32", v="5x4xf32", o="3x4xf32", extra="", esig="", attrs="scale 1.0", tail=""):
    sig=f"%q: tensor<{q}>, %k: tensor<{k}>, %v: tensor<{v}>"+(", "+esig if esig else "")
    body=f"%0 = attn.attention %q, %k, %v {extra+' ' if extra else ''}{attrs}{tail} : tensor<{q}>, tensor<{k}>, tensor<{v}> -> tensor<{o}>"
    case(comment,error,body,sig)
att("Ranks.","query needs at least the dimensions [n, d], found rank 1",q="8xf32",o="4xf32") if False else None
att("Query and key differ in rank.","query has rank 2 but key has rank 3",k="1x5x8xf32")
att("Key and value differ in rank.","key has rank 2 but value has rank 3",v="1x5x4xf32")
att("Query and key differ in element type.","query and key have different element types 'f32' and 'f16'",k="5x8xf16")
att("Key and value differ in element type.","key and value have different element types 'f32' and 'f64'",v="5x4xf64")
att("Head dimensions.","head dimension of query is 8 but of key is 16",k="5x16xf32")
att("Key heads must divide query heads.","has 3 query heads, which is not a multiple of its 2 key heads",q="3x3x8xf32",k="2x5x8xf32",v="2x5x4xf32",o="3x3x4xf32")
att("No key heads for some query heads.","has 3 query heads, which is not a multiple of its 0 key heads",q="3x3x8xf32",k="0x5x8xf32",v="0x5x4xf32",o="3x3x4xf32")
att("Batch dimensions other than heads are equal.","batch dimension 0 of query is 4 but of key is 2",q="4x2x3x8xf32",k="2x2x5x8xf32",v="2x2x5x4xf32",o="4x2x3x4xf32")
att("Numbers of keys and values.","dimension 0 of key is 5 but of value is 6",v="6x4xf32")
att("Heads of keys and values.","dimension 0 of key is 2 but of value is 1",q="2x3x8xf32",k="2x5x8xf32",v="1x5x4xf32",o="2x3x4xf32")
att("Element type.","must be ranked tensor of 16-bit float or bfloat16 type or 32-bit float or 64-bit float values",q="3x8xi32",k="5x8xi32",v="5x4xi32",o="3x4xi32")
att("The result has the queries' rows.","incompatible with return type",o="4x4xf32")
att("The result has the queries' element type.","incompatible with return type",o="3x4xf16")
att("Infinite scale.","scale must be finite",attrs="scale 0x7FF0000000000000")
att("Bias of another element type.","bias has element type 'f16' but query has 'f32'",extra="bias(%b : tensor<3x5xf16>)",esig="%b: tensor<3x5xf16>")
att("Rank of bias.","bias must have rank 2, found 1",extra="bias(%b : tensor<5xf32>)",esig="%b: tensor<5xf32>")
att("Shape of bias.","bias dimension 1 is 3; it must be 1 or 5",extra="bias(%b : tensor<3x3xf32>)",esig="%b: tensor<3x3xf32>")
att("Heads of bias: those of the query.","bias dimension 0 is 2; it must be 1 or 4",q="4x3x8xf32",k="2x5x8xf32",v="2x5x4xf32",o="4x3x4xf32",extra="bias(%b : tensor<2x3x5xf32>)",esig="%b: tensor<2x3x5xf32>")
att("Element type of key weights.","key_weights have element type 'f64'; they must be f32 or 'f16'",q="3x8xf16",k="5x8xf16",v="5x4xf16",o="3x4xf16",extra="key_weights(%w : tensor<5xf64>)",esig="%w: tensor<5xf64>")
att("Rank of key weights.","key_weights must have the shape of key without its last dimension",extra="key_weights(%w : tensor<1x5xf32>)",esig="%w: tensor<1x5xf32>")
att("Length of key weights.","key_weights must have the shape of key without its last dimension",extra="key_weights(%w : tensor<1xf32>)",esig="%w: tensor<1xf32>")
att("Heads of key weights: those of the key.","key_weights dimension 0 is 4; it must be 1 or 2",q="4x3x8xf32",k="2x5x8xf32",v="2x5x4xf32",o="4x3x4xf32",extra="key_weights(%w : tensor<4x5xf32>)",esig="%w: tensor<4x5xf32>")
cert="certificate <score_bound = 0.5, kernel_error = 0.1, weight_change = 0.1, rounding_error = 0.0, output_error = 0.1, max_keys = 8, assumption = proved>"
att("Exact softmax needs no certificate.","has a certificate but its kernel is not a polynomial",attrs="scale 1.0 "+cert)
att("A state needs a polynomial.","cannot be evaluated through a state: its kernel is not a polynomial",attrs="scale 1.0 evaluate state")
att("A state has no bias.","cannot be evaluated through a state: its scores have an additive bias",attrs="scale 1.0 kernel poly<[1.0, 1.0]> evaluate state",extra="bias(%b : tensor<3x5xf32>)",esig="%b: tensor<3x5xf32>")
att("A state has a static size.","cannot be evaluated through a state: its head dimension is dynamic",q="3x?xf32",k="5x?xf32",attrs="scale 1.0 kernel poly<[1.0, 1.0]> evaluate state")
att("A state loses no key.","cannot be evaluated through a state: its mask drops keys from the front",attrs="scale 1.0 kernel poly<[1.0, 1.0]> mask sliding_window<left = 1, right = 0> evaluate state")
att("Not a mask.","cannot stand here",attrs="scale 1.0 mask exp")
att("Not a kernel.","cannot stand here",attrs="scale 1.0 kernel (\"exp\")")
att("Unknown mask.","'diagonal' is no attribute of the attn dialect",attrs="scale 1.0 mask diagonal")
def cb(comment,error,q="3x8xf32",k="5x8xf32",nums="scale 1.0 bound 0.5 max_norm 1.0"):
    case(comment,error,f"%0 = attn.check_bound %q, %k {nums} : tensor<{q}>, tensor<{k}>",f"%q: tensor<{q}>, %k: tensor<{k}>")
cb("check_bound: rank.","query needs at least the dimensions [n, d], found rank 1",q="8xf32",k="8xf32")
cb("check_bound: ranks differ.","query has rank 2 but key has rank 3",k="1x5x8xf32")
cb("check_bound: element types.","query and key have different element types 'f32' and 'bf16'",k="5x8xbf16")
cb("check_bound: head dimension.","head dimension of query is 8 but of key is 4",k="5x4xf32")
cb("check_bound: heads.","has 3 query heads, which is not a multiple of its 2 key heads",q="3x3x8xf32",k="2x5x8xf32")
cb("check_bound: batch.","batch dimension 0 of query is 3 but of key is 2",q="3x2x3x8xf32",k="2x2x5x8xf32")
cb("check_bound: scale.","scale must be finite",nums="scale 0x7FF8000000000000 bound 0.5 max_norm 1.0")
cb("check_bound: bound.","bound must be finite and at least 0",nums="scale 1.0 bound -0.5 max_norm 1.0")
cb("check_bound: norm.","max_norm must be finite and at least 0",nums="scale 1.0 bound 0.5 max_norm 0x7FF0000000000000")
def attr(comment,error,text):
    out.append(f"// {comment}\n// expected-error@+1 {{{{{error}}}}}\nfunc.func private @f() attributes {{a = {text}}}\n\n// -----\n")
attr("A kernel of degree 0 is the mean.","needs at least two coefficients (degree 1), found 1","#attn.poly<[1.0]>")
attr("No coefficient at all.","needs at least two coefficients (degree 1), found 0","#attn.poly<[]>")
attr("The degree is what it seems.","the last coefficient is 0","#attn.poly<[1.0, 1.0, 0.0]>")
attr("Finite coefficients.","coefficients must be finite","#attn.poly<[1.0, 1.0e400]>")
attr("A window holds the query's own position.","window reaches -1 keys left and 0 right; both must be at least 0","#attn.sliding_window<left = -1, right = 0>")
attr("... on both sides.","window reaches 0 keys left and -2 right; both must be at least 0","#attn.sliding_window<left = 0, right = -2>")
attr("Prefix length.","prefix length -1 is negative","#attn.prefix<length = -1>")
attr("Bound.","score bound must be finite and at least 0","#attn.bound<-0.5, proved>")
c="#attn.certificate<score_bound = {}, kernel_error = {}, weight_change = {}, rounding_error = {}, output_error = {}, max_keys = {}, assumption = proved>"
names=["score_bound","kernel_error","weight_change","rounding_error","output_error"]
for i,n in enumerate(names):
    vals=["0.5","0.1","0.1","0.0","0.1","8"]; vals[i]="-0.1"
    attr(f"Certificate: {n}.","certificate numbers must be finite and at least 0",c.format(*vals))
attr("Certificate: keys.","max_keys must be at least 1, found 0",c.format("0.5","0.1","0.1","0.0","0.1","0"))
text="\n".join(out).rstrip().removesuffix("// -----").rstrip()+"\n"
open("invalid.mlir","w").write(text)

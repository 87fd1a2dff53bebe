// One processing element: a column of weights and T_P multipliers with an adder tree, one row of an input tile per
// cycle; beside them the accumulators and the output queue. Between the tree and the accumulators the engine
// joins neighbours.
//
// Latency: operands 1, products 1, tree clog2(T_P) cycles from `x` to `dot`. Of `x` those words count that have
// `multiply`, and weights stay in their operand registers from one `take_weights` to the next.
//
// A sum that comes in with `accumulate` is added to accumulator `address`, whose read was asked for one cycle
// before (or replaces it, where it was not), and where `finish`, what comes of it goes into the output queue
// instead, as a word: shifted right by `shift` and saturated.
module processing_element #(
    parameter int unsigned T_P = 8,
    parameter int unsigned WORD = 16,
    parameter int unsigned ACC = 40,           // at least 2 WORD + clog2(T_P)
    parameter int unsigned WEIGHT_PLACES = 2,  // columns of T_P weights
    parameter int unsigned ACCUMULATORS = 32,  // OUTPUT_TILES T_R
    parameter int unsigned QUEUE = 32,         // T_R: the tile that drains
    localparam int unsigned PLACE_BITS = $clog2(WEIGHT_PLACES),
    localparam int unsigned ACC_BITS = ACCUMULATORS > 1 ? $clog2(ACCUMULATORS) : 1,
    localparam int unsigned QUEUE_BITS = $clog2(QUEUE)
) (
    input  logic                  clk,
    input  logic [T_P-1:0]        weight_writes,  // enables of each weight's memory
    input  logic [PLACE_BITS-1:0] weight_write_place,
    input  logic [T_P*WORD-1:0]   weight_words,
    input  logic                  take_weights,   // those of a step: zero where `weight_reads` is not set
    input  logic [T_P-1:0]        weight_reads,
    input  logic [PLACE_BITS-1:0] weight_read_place,
    input  logic [T_P*WORD-1:0]   x,
    input  logic [T_P-1:0]        multiply,
    output logic signed [ACC-1:0] dot,
    input  logic                  accumulator_read,
    input  logic [ACC_BITS-1:0]   accumulator_read_address,
    input  logic                  add,            // to what was read; otherwise `sum` is the first
    input  logic                  accumulator_write,
    input  logic [ACC_BITS-1:0]   address,
    input  logic signed [ACC-1:0] sum,
    input  logic                  queue_write,
    input  logic [QUEUE_BITS-1:0] queue_write_address,
    input  logic                  queue_read,
    input  logic [QUEUE_BITS-1:0] queue_read_address,
    input  logic [5:0]            shift,
    output logic [WORD-1:0]       queue_word
);
  localparam int unsigned LEVELS = $clog2(T_P);
  localparam int unsigned LEAVES = 1 << LEVELS;

  // Products, then level by level half as many sums: node n is the sum of nodes 2n + 1 and 2n + 2. Leaves beyond
  // T_P are zero and vanish in synthesis. An operand that is not wanted keeps its register as it is, beside a
  // weight of zero: nothing switches.
  logic [ACC*(2*LEAVES-1)-1:0] tree;
  for (genvar i = 0; i < LEAVES; i++) begin : g_leaf
    if (i < T_P) begin : g_multiplier
      logic [WORD-1:0] weights[0:WEIGHT_PLACES-1];
      logic signed [WORD-1:0] a, b;
      logic signed [2*WORD-1:0] product;
      always_ff @(posedge clk) begin
        if (weight_writes[i]) weights[weight_write_place] <= weight_words[i*WORD+:WORD];
        if (take_weights && !weight_reads[i]) b <= '0;
        else if (weight_reads[i]) b <= weights[weight_read_place];
        if (multiply[i]) a <= x[i*WORD+:WORD];
        product <= a * b;
      end
      assign tree[(LEAVES-1+i)*ACC+:ACC] = ACC'(product);
    end else begin : g_none
      assign tree[(LEAVES-1+i)*ACC+:ACC] = '0;
    end
  end
  for (genvar n = 0; n < LEAVES - 1; n++) begin : g_node
    localparam int unsigned LEVEL = LEVELS + 1 - $clog2(n + 2);  // above the leaves: as many bits more than a product
    logic signed [2*WORD+LEVEL-1:0] node;
    always_ff @(posedge clk)
      node <= (2 * WORD + LEVEL)'(tree[(2*n+1)*ACC+:ACC]) + (2 * WORD + LEVEL)'(tree[(2*n+2)*ACC+:ACC]);
    assign tree[n*ACC+:ACC] = ACC'(node);
  end
  assign dot = tree[ACC-1:0];

  // The accumulator that the previous cycle wrote may be the one wanted now: its read came too early.
  logic signed [ACC-1:0] accumulators[0:ACCUMULATORS-1];
  logic signed [ACC-1:0] stored, written, total;
  logic [ACC_BITS-1:0] written_address;
  logic just_written;
  always_comb begin
    total = sum;
    if (add) total = sum + (just_written && written_address == address ? written : stored);
  end
  always_ff @(posedge clk) begin
    if (accumulator_read) stored <= accumulators[accumulator_read_address];
    just_written    <= accumulator_write;
    written_address <= address;
    written         <= total;
    if (accumulator_write) accumulators[address] <= total;
  end

  // The word of a total.
  localparam logic signed [ACC-1:0] HIGHEST = ACC'((64'd1 << (WORD - 1)) - 64'd1);
  localparam logic signed [ACC-1:0] LOWEST = -HIGHEST - 1;
  logic signed [ACC-1:0] shifted;
  logic [WORD-1:0] word;
  assign shifted = total >>> shift;
  assign word = shifted > HIGHEST ? HIGHEST[WORD-1:0] : shifted < LOWEST ? LOWEST[WORD-1:0] : shifted[WORD-1:0];

  logic [WORD-1:0] queue[0:QUEUE-1];
  always_ff @(posedge clk) begin
    if (queue_write) queue[queue_write_address] <= word;
    if (queue_read) queue_word <= queue[queue_read_address];
  end
endmodule

using System.Buffers;
using BenchmarkDotNet.Attributes;
using Orderwright.Contracts;

namespace Orderwright.Micro;

/// <summary>A CloudEvents batch of 500 messages, written and read; figures are per message.</summary>
[MemoryDiagnoser]
public class Envelope
{
    readonly ArrayBufferWriter<byte> buffer = new(1 << 20);
    Message[] messages = [];
    byte[] written = [];

    [Params("order placed", "stock reserved", "order confirmed")]
    public string What { get; set; } = "";

    [GlobalSetup]
    public void Make()
    {
        messages = [.. Enumerable.Range(0, Orders.Batch).Select(order => What switch
        {
            "order placed" => Orders.Message(order, ServiceNames.Order, new OrderPlaced(
                $"customer-{order:D4}", "EUR", Orders.Lines(order), 0, new PaymentMethod("balance"), false)),
            "stock reserved" => Orders.Message(
                order, ServiceNames.Stock,
                new StepAnswered(false, StepOutcome.Completed, Priced: Orders.Lines(order, unitPrice: 250)),
                StepNames.ReserveStock),
            _ => Orders.Message(order, ServiceNames.Coordinator, new OrderConfirmed(
                Orders.Lines(order, unitPrice: 250), 750, new PaymentTotals(750, 750, 0, false),
                [.. new[] { StepNames.ReserveStock, StepNames.AuthorizePayment, StepNames.CommitStock }.Select(
                    step => new StepStamp(step, false, "completed", Orders.Now, 1, AnsweredAt: Orders.Now))])),
        })];
        Write();
        written = buffer.WrittenSpan.ToArray();
        if (Read() != Orders.Batch) throw new InvalidOperationException("What was written cannot be read.");
    }

    [Benchmark(OperationsPerInvoke = Orders.Batch)]
    public int Write()
    {
        buffer.ResetWrittenCount();
        return CloudEventsBatch.Write(buffer, messages);
    }

    [Benchmark(OperationsPerInvoke = Orders.Batch)]
    public int Read() => CloudEventsBatch.Read(written, default).Messages.Count;
}

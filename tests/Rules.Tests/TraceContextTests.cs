using System.Buffers;
using Orderwright.Contracts;
using Orderwright.Contracts.Json;

namespace Orderwright.Rules;

public class TraceContextTests
{
    const string Ids = "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7";

    [Theory]
    [InlineData($"00-{Ids}-01", $"00-{Ids}-01")]
    [InlineData($"00-{Ids}-00", $"00-{Ids}-00")]
    [InlineData($"cc-{Ids}-01-x", $"00-{Ids}-01")]
    [InlineData($"cc-{Ids}-01", $"00-{Ids}-01")]
    [InlineData($"01-{Ids}-fe-what.the.future-holds", $"00-{Ids}-00")]
    public void A_context_of_any_version_is_read_as_version_00(string text, string read) =>
        Assert.Equal(read, TraceContext.Read(text));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData($"ff-{Ids}-01")]
    [InlineData($"00-{Ids}-01-x")]
    [InlineData($"cc-{Ids}-01x")]
    [InlineData($"CC-{Ids}-01")]
    [InlineData($"cc-{Ids}-0")]
    [InlineData("00-00000000000000000000000000000000-00f067aa0ba902b7-01")]
    [InlineData("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01")]
    [InlineData("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01")]
    public void An_invalid_context_is_no_context(string? text) => Assert.Null(TraceContext.Read(text));

    [Fact]
    public void A_message_keeps_the_context_and_its_state()
    {
        var sent = new ArrayBufferWriter<byte>();
        CloudEventsBatch.Write(
            sent,
            [
                new Message
                {
                    Id = Guid.NewGuid(), Source = ServiceNames.Order, OrderId = Guid.NewGuid(), Time = DateTimeOffset.UnixEpoch,
                    Body = new OrderCancelled(PaymentTotals.None, []), TraceParent = $"cc-{Ids}-01-x", TraceState = "congo=t61",
                },
            ]);
        var (messages, unreadable) = CloudEventsBatch.Read(sent.WrittenMemory, default);
        Assert.Empty(unreadable);
        Assert.Equal(($"00-{Ids}-01", "congo=t61"), (messages[0].TraceParent, messages[0].TraceState));
    }
}

using System.Text.Json;
using Orderwright.Contracts;
using Orderwright.SagaCoordinator;

namespace Orderwright.Sagas.Tests.Order;

/// <summary>What a saga's row says is short, and what older rows say with names is read as the same.</summary>
public class StoredSagaTests
{
    static readonly DateTimeOffset Start = new(2026, 1, 31, 9, 30, 0, TimeSpan.Zero);

    static SagaState Blank => SagaState.New(OrderSaga.Current, seed: 7) with { Version = 4, StartedAt = Start };

    public static TheoryData<string, string> Steps() => new()
    {
        {
            """
            {"steps":{"reserve-stock":{"do":{"phase":"asked","asked":1,"sent":0,"next":2552,"until":600000}}}}
            """,
            """
            {"steps":{"reserve-stock":{"do":["asked",1,0,null,{"next":2552,"until":600000}]}}}
            """
        },
        {
            """
            {"pivoted":true,"steps":{"reserve-stock":{"do":{"phase":"completed","asked":1,"sent":0,"answered":51}},
            "authorize-payment":{"do":{"phase":"completed","asked":1,"sent":51,"answered":213,"detail":"captured"}},
            "commit-stock":{"do":{"phase":"completed","asked":1,"sent":213,"answered":280}},
            "capture-payment":{"do":{"phase":"skipped","asked":0,"answered":280}}},
            "payment":{"authorized":296,"captured":296,"refunded":0},"toUndo":["reserve-stock","authorize-payment","commit-stock"]}
            """,
            """
            {"pivoted":true,"steps":{"reserve-stock":{"do":["completed",1,0,51]},
            "authorize-payment":{"do":["completed",1,51,213,{"detail":"captured"}]},
            "commit-stock":{"do":["completed",1,213,280]},
            "capture-payment":{"do":["skipped",0,null,280]}},
            "payment":[296,296,0],"toUndo":[0,1,2]}
            """
        },
        {
            """
            {"reason":{"kind":"cancelled","code":"cancelled","message":"customer"},"cancelReason":"customer","steps":{
            "reserve-stock":{"do":{"phase":"completed","asked":2,"sent":0,"answered":51},"undo":{"phase":"asked","asked":3,"tries":1,"sent":900,"next":4000,"until":1800000}},
            "authorize-payment":{"do":{"phase":"completed","asked":1,"sent":51,"answered":213},"undo":{"phase":"completed","asked":1,"sent":300,"answered":880}}},
            "payment":{"authorized":296,"captured":0,"refunded":0,"voided":true},"toUndo":["reserve-stock"]}
            """,
            """
            {"reason":{"kind":"cancelled","code":"cancelled","message":"customer"},"cancelReason":"customer","steps":{
            "reserve-stock":{"do":["completed",2,0,51],"undo":["asked",3,900,null,{"tries":1,"next":4000,"until":1800000}]},
            "authorize-payment":{"do":["completed",1,51,213],"undo":["completed",1,300,880]}},
            "payment":[296,0,0,true],"toUndo":[0]}
            """
        },
    };

    [Theory]
    [MemberData(nameof(Steps))]
    public void Steps_are_written_short_and_read_in_both_forms(string named, string brief)
    {
        var (state, payment) = StoredSaga.ReadSteps(named, Blank);
        Assert.Equal(brief.ReplaceLineEndings(""), StoredSaga.WriteSteps(state, payment));
        var (again, paid) = StoredSaga.ReadSteps(brief, Blank);
        Assert.Equivalent(state, again, strict: true);
        Assert.Equal(payment, paid);
    }

    [Theory]
    [InlineData("""{"steps":{},"toUndo":[4]}""")]
    [InlineData("""{"steps":{},"toUndo":[-1]}""")]
    [InlineData("""{"steps":{"reserve-stock":{"do":["completed"]}}}""")]
    [InlineData("""{"steps":{"reserve-stock":{"do":["carried-out",1,0,51]}}}""")]
    [InlineData("""{"steps":{"ship-it":{"do":["completed",1,0,51]}}}""")]
    [InlineData("""{"payment":[296,296]}""")]
    public void What_nobody_wrote_is_refused_as_what_cannot_be_read(string steps) =>
        Assert.ThrowsAny<JsonException>(() => StoredSaga.ReadSteps(steps, Blank));

    [Fact]
    public void Lines_are_written_short_and_read_in_both_forms()
    {
        const string Named =
            """
            {"customerId":"ada","currency":"EUR","lines":[{"line":1,"sku":"A","quantity":2,"unitPrice":148},{"line":2,"sku":"B","quantity":1}],"provider":"balance"}
            """;
        const string Brief =
            """
            {"customerId":"ada","currency":"EUR","lines":[[1,"A",2,148],[2,"B",1]],"provider":"balance"}
            """;
        Assert.Equal(Brief, StoredSaga.WriteFacts(StoredSaga.ReadFacts(Named)));
        Assert.Equal([new OrderLine(1, "A", 2, 148), new OrderLine(2, "B", 1, null)], StoredSaga.ReadFacts(Brief).Order.Lines);
    }
}

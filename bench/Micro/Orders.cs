using Orderwright.Contracts;

namespace Orderwright.Micro;

/// <summary>A batch of orders with two lines, as the services exchange them.</summary>
static class Orders
{
    public const int Batch = 500;
    const int Products = 100;

    public static readonly DateTimeOffset Now = new(2026, 1, 31, 9, 30, 0, TimeSpan.Zero);

    public static Guid Id(int order) => Guid.CreateVersion7(Now.AddMilliseconds(order));

    public static string Sku(int product) => $"SKU-{product % Products:D3}";

    public static IReadOnlyList<OrderLine> Lines(int order, long? unitPrice = null) =>
        [new(1, Sku(order), 2, unitPrice), new(2, Sku(order * 7 + 1), 1, unitPrice)];

    public static IEnumerable<string> Skus => Enumerable.Range(0, Products).Select(Sku);

    public static Message Message(int order, string source, IMessageBody body, string? step = null) => new()
    {
        Id = Id(order),
        Source = source,
        OrderId = Id(order),
        Time = Now,
        Body = body,
        Step = step,
        Deadline = step is null ? null : Now.AddMinutes(10),
    };
}

using System.Globalization;
using System.Text;

namespace Orderwright.Load;

/// <summary>
/// Orders as finished requests: 1 to 3 lines of 1 to 4 pieces, 5 % with a line of goods that are sold out, and customers
/// evenly, of whom the last twentieth has next to no balance.
/// </summary>
/// <remarks>Written before the clock starts: making a body must not be measured as placing an order.</remarks>
sealed class OrderMix
{
    public const int Customers = 1_000;
    public const int PoorCustomers = 50;
    public const int Products = 100;
    public const int SoldOut = 5;

    readonly byte[][] requests;

    /// <param name="orders">How many.</param>
    /// <param name="seed">The same seed makes the same orders.</param>
    /// <param name="waitEvery">Every how manyth asks to be answered with the decision; 0 for none.</param>
    /// <param name="oneSku">All lines are of the same goods.</param>
    /// <param name="keyed">With a reference and an Idempotency-Key of its own.</param>
    public OrderMix(int orders, int seed, int waitEvery, bool oneSku, bool keyed)
    {
        WaitEvery = waitEvery;
        var dice = new Random(seed);
        requests = new byte[orders][];
        for (var i = 0; i < orders; i++)
            requests[i] = Encoding.ASCII.GetBytes(
                Request(Body(dice, oneSku, keyed ? $"{seed}-{i}" : null), Waits(i), keyed ? $"order-{seed}-{i}" : null));
    }

    public int WaitEvery { get; }

    public int Count => requests.Length;

    public ReadOnlySpan<byte> this[int order] => requests[order];

    public bool Waits(int order) => WaitEvery > 0 && order % WaitEvery == 0;

    public static string CustomerId(int number) => string.Create(CultureInfo.InvariantCulture, $"customer-{number:D4}");

    public static string Sku(int number) => string.Create(CultureInfo.InvariantCulture, $"SKU-{number:D3}");

    static string Body(Random dice, bool oneSku, string? reference)
    {
        var soldOut = dice.Next(20) == 0;
        var lines = new string[dice.Next(1, 4)];
        for (var i = 0; i < lines.Length; i++)
        {
            var product = soldOut && i == 0 ? Products - 1 - dice.Next(SoldOut)
                : oneSku ? 0
                : dice.Next(Products - SoldOut);
            lines[i] = $$"""{"sku":"{{Sku(product)}}","quantity":{{dice.Next(1, 5)}}}""";
        }
        var name = reference is null ? "" : $"\"reference\":\"{reference}\",";
        return $$"""{"customerId":"{{CustomerId(dice.Next(Customers))}}","currency":"EUR",{{name}}"lines":[{{string.Join(',', lines)}}]}""";
    }

    static string Request(string body, bool waits, string? key) =>
        "POST /api/v1/orders HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n" +
        (waits ? "Prefer: wait=30\r\n" : "") +
        (key is null ? "" : $"Idempotency-Key: {key}\r\n") +
        string.Create(CultureInfo.InvariantCulture, $"Content-Length: {body.Length}\r\n\r\n{body}");
}

using System.Text.Json;
using Orderwright.Contracts;

namespace Orderwright.Client;

/// <summary>A text names no order, or several.</summary>
/// <param name="message">The sentence for a person, with the ids of several orders.</param>
/// <param name="isAmbiguous">Several orders match.</param>
public sealed class OrderNotNamedException(string message, bool isAmbiguous) : Exception(message)
{
    public bool IsAmbiguous { get; } = isAmbiguous;
}

/// <summary>Finds the order that a person names: by its id, the first or last digits of its id, or its reference.</summary>
public static class OrderLookUp
{
    const int MostListed = 5;

    // A page searches the last digits of 200,000 orders.
    const int MostPages = 5;

    /// <summary>Returns the order.</summary>
    /// <exception cref="OrderNotNamedException">No order matches, or several do.</exception>
    /// <exception cref="ApiException">The call failed.</exception>
    public static async Task<JsonElement> FindAsync(ApiClient client, string text, CancellationToken cancel)
    {
        var found = new List<JsonElement>();
        var cursor = "";
        for (var page = 0; page < MostPages && found.Count <= MostListed; page++)
        {
            var reply = (await client.GetAsync(
                ServiceNames.Order, $"/orders?search={Uri.EscapeDataString(text)}&limit={MostListed + 1}{cursor}", cancel))
                .OrThrow();
            found.AddRange(reply.Items);
            if (reply.NextCursor is not { } next) break;
            cursor = $"&cursor={next}";
        }
        // Of the orders with a reference, the newest counts: earlier ones came to nothing. Another channel's is another order.
        var isNamedByDigits = found.TrueForAll(order => HasDigits(order, text));
        if (found.Count == 1 || (found.Count > 0 && !isNamedByDigits && found.DistinctBy(ChannelOf).Count() == 1))
            return found[0];
        throw found.Count == 0
            ? new OrderNotNamedException($"There is no order with the id or reference {text}.", isAmbiguous: false)
            : new OrderNotNamedException(Several(found, text, isNamedByDigits), isAmbiguous: true);
    }

    static bool HasDigits(JsonElement order, string text)
    {
        var (id, digits) = (ShortId.DigitsOf(order.Text("id")), ShortId.DigitsOf(text));
        return digits.Length >= ShortId.LeastDigits
            && (id.StartsWith(digits, StringComparison.Ordinal) || id.EndsWith(digits, StringComparison.Ordinal));
    }

    static string ChannelOf(JsonElement order) => order.Text("channel");

    static string Several(List<JsonElement> found, string text, bool isNamedByDigits)
    {
        var lines = found.Take(MostListed).Select(order =>
            $"  {order.Text("id")}  {order.Text("createdAt")}  {order.Text("status")}  channel {order.Text("channel")}  "
            + $"{order.TextOrNull("reference")}".TrimEnd());
        return (isNamedByDigits
                ? $"Several orders match {text}. Give more digits of the id:"
                : $"Orders of several channels have the reference {text}. Give the id:")
            + $"\n{string.Join('\n', lines)}{(found.Count > MostListed ? "\n  … and more" : "")}";
    }
}

using System.Text.Json;
using System.Text.Json.Nodes;
using Orderwright.Client;
using Orderwright.Http;
using Orderwright.Http.Operators;
using Orderwright.Runtime;

namespace Orderwright.ConsoleTests;

/// <summary>Lists of several services, merged into one.</summary>
public sealed class MergedListTests
{
    const int Limit = 50;

    [Theory]
    [InlineData(120, 7, 0)]
    [InlineData(50, 50, 50)]
    [InlineData(0, 0, 0)]
    [InlineData(1, 0, 150)]
    public void Each_page_continues_where_the_previous_one_ended_whichever_service_has_the_rows(params int[] counts)
    {
        // Rows of all services in random order, some with equal times.
        var random = new Random(5);
        var start = DateTimeOffset.FromUnixTimeMilliseconds(1_790_000_000_000);
        var services = counts.Select(count => Enumerable.Range(0, count)
            .Select(_ => Guid.CreateVersion7(start.AddMilliseconds(random.Next(100))))
            .OrderByDescending(id => id.ToString("N"), StringComparer.Ordinal).ToList()).ToList();

        var read = new List<Guid>();
        for (string? cursor = "";  cursor is not null;)
        {
            var page = MergedList.Of(
                [.. services.Select((rows, service) => ($"service-{service}", Page(rows, cursor)))],
                new(item => AuditEntry.PositionOf(item.GetProperty("id").GetGuid()), Cursor.Write), Limit);
            Assert.InRange(page.Items.Count, 0, Limit);
            read.AddRange(page.Items.Select(item => item.GetProperty("id").GetGuid()));
            cursor = page.NextCursor;
            Assert.True(read.Count <= counts.Sum(), "A row came twice.");
        }
        Assert.Equal(
            services.SelectMany(rows => rows).OrderByDescending(id => id.ToString("N"), StringComparer.Ordinal), read);
    }

    // Reply of a service: rows after the cursor, and a cursor if more rows follow.
    static ApiReply Page(List<Guid> rows, string cursor)
    {
        var after = cursor == "" ? rows
            : rows.Where(id => string.CompareOrdinal(AuditEntry.PositionOf(id), Cursor.Read(cursor)) < 0).ToList();
        var items = after.Take(Limit).ToList();
        var body = new JsonObject
        {
            ["items"] = new JsonArray([.. items.Select(id => new JsonObject { ["id"] = id.ToString() })]),
            ["nextCursor"] = after.Count > Limit ? Cursor.Write(AuditEntry.PositionOf(items[^1])) : null,
        };
        return new("GET /api/v1/audit", 200, JsonSerializer.SerializeToElement(body));
    }
}

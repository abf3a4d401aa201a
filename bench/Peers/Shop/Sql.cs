using System.Text.Json;
using Npgsql;
using NpgsqlTypes;

namespace Orderwright.Peers.Shop;

/// <summary>Short forms of Npgsql's calls. Each statement is prepared by the connection at its second use.</summary>
static class Sql
{
    public static NpgsqlCommand Command(this NpgsqlConnection connection, string text, params ReadOnlySpan<object> values)
    {
        var command = new NpgsqlCommand(text, connection);
        foreach (var value in values)
            command.Parameters.Add(value switch
            {
                Guid id => new NpgsqlParameter<Guid> { TypedValue = id },
                long number => new NpgsqlParameter<long> { TypedValue = number },
                string word => new NpgsqlParameter<string> { TypedValue = word },
                string[] words => new NpgsqlParameter<string[]> { TypedValue = words },
                long[] numbers => new NpgsqlParameter<long[]> { TypedValue = numbers },
                Line[] lines => new NpgsqlParameter<byte[]>
                {
                    TypedValue = JsonSerializer.SerializeToUtf8Bytes(lines, ShopJson.Default.LineArray),
                    NpgsqlDbType = NpgsqlDbType.Jsonb,
                },
                _ => throw new ArgumentException($"{value.GetType()} is no parameter of a peer."),
            });
        return command;
    }

    public static async Task<int> ExecuteAsync(
        this NpgsqlConnection connection, string text, object[] values, CancellationToken cancel)
    {
        await using var command = connection.Command(text, values);
        return await command.ExecuteNonQueryAsync(cancel);
    }

    /// <summary>Reads the first row; the default without a row.</summary>
    public static async Task<T?> ReadAsync<T>(
        this NpgsqlConnection connection, string text, object[] values, Func<NpgsqlDataReader, T> read,
        CancellationToken cancel)
    {
        await using var command = connection.Command(text, values);
        await using var rows = await command.ExecuteReaderAsync(cancel);
        return await rows.ReadAsync(cancel) ? read(rows) : default;
    }

    /// <summary>Creates the tables of a service.</summary>
    public static async Task CreateTablesAsync(NpgsqlDataSource data, string service, CancellationToken cancel)
    {
        using var text = new StreamReader(typeof(Sql).Assembly.GetManifestResourceStream($"{service}.sql")!);
        await using var command = data.CreateCommand(await text.ReadToEndAsync(cancel));
        await command.ExecuteNonQueryAsync(cancel);
    }
}
